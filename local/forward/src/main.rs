//! Forwards connections between ports of 127.0.0.1 and Unix sockets, so that a function in a container reaches a stack
//! that listens on 127.0.0.1 of its host.
//!
//! `sam local invoke` mounts the folder with the function's code into the container. The sockets are in this folder. On the
//! host, `forward` listens on each socket and connects to the stack's port. In the container, it listens on the same port
//! and connects to the socket. So the stack listens on no other address, and the function uses the same URLs, `Host` headers
//! and signatures as outside of the container.
//!
//! Docker Desktop runs containers on another kernel, where connections to the socket fail. There, `host.docker.internal` is
//! the host's 127.0.0.1. A route can have several targets, which are tried in order.

mod address;
mod route;

use crate::route::Route;
use clap::Parser;
use std::ffi::OsString;
use std::io;
use std::process::{Command, ExitCode};

#[derive(Parser)]
#[command(
    name = "forward",
    about = "Forwards connections between ports of 127.0.0.1 and Unix sockets",
    version
)]
struct Options {
    /// Where to listen and where to connect to, such as tcp:127.0.0.1:4566=unix:4566.sock,tcp:host.docker.internal:4566.
    /// The first target that accepts a connection is used
    #[arg(required = true, value_name = "FROM=TO[,TO…]")]
    routes: Vec<Route>,
    /// A program to run when all routes are open. Forwarding ends when it exits
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut threads = Vec::new();
    for route in options.routes {
        match route.open() {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                eprintln!("cannot listen on {}: {error}", route.from);
                return ExitCode::FAILURE;
            }
        }
    }
    let Some((program, arguments)) = options.command.split_first() else {
        for thread in threads {
            // The thread accepts connections until the process ends.
            let _ = thread.join();
        }
        return ExitCode::FAILURE;
    };
    match run(Command::new(program).args(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cannot run {}: {error}", program.display());
            ExitCode::FAILURE
        }
    }
}

fn run(command: &mut Command) -> io::Result<ExitCode> {
    let code = command.status()?.code();
    // There is no code if a signal ended the program.
    Ok(code
        .and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from))
}
