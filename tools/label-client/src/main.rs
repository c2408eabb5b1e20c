//! `cargo xtask label` and `cargo xtask upload`: send pictures and videos through the HTTP API, as the page does.

mod api;
mod duration;
mod file;
mod in_parts;
mod label;
mod sign_in;
mod table;
mod upload;

use crate::api::Api;
use crate::label::LabelOptions;
use crate::sign_in::SignIn;
use crate::upload::UploadOptions;
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Sends pictures to a running system.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
    /// The URL of the HTTP API
    #[arg(long, value_name = "URL")]
    api: String,
    /// A JSON array: a program and its arguments. It signs the user in and prints an access token
    #[arg(long, value_name = "COMMAND", env = "ILG_SIGN_IN")]
    sign_in: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Upload pictures and print their labels. Fails unless every picture is labeled
    Label(LabelOptions),
    /// Upload all pictures in folders. Fails unless every picture is uploaded
    Upload(UploadOptions),
}

fn main() -> ExitCode {
    match run(Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: Options) -> Result<ExitCode> {
    let api = Api::new(&options.api, SignIn::new(&options.sign_in)?)?;
    match options.command {
        Command::Label(options) => Ok(match label::label(api, options)? {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }),
        Command::Upload(options) => upload::upload(&api, &options),
    }
}
