//! `cargo xtask scale`: prints how long numbers of pictures take, and which limit is reached first.

use anyhow::Result;
use capacity::scale::{ScaleOptions, run};
use clap::Parser;

fn main() -> Result<()> {
    print!("{}", run(&ScaleOptions::parse())?);
    Ok(())
}
