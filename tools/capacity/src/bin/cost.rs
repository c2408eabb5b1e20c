//! `cargo xtask cost`: prints the monthly bill of a number of pictures.

use anyhow::Result;
use capacity::cost::{CostOptions, run};
use clap::Parser;

fn main() -> Result<()> {
    print!("{}", run(&CostOptions::parse())?);
    Ok(())
}
