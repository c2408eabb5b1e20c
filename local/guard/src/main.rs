//! Starts the guard.

use axum::Router;
use clap::Parser;
use local_guard::hosts::{self, Hosts};
use local_guard::router;
use local_guard::rules::Rules;
use local_guard::server::{self, HEADER_TIMEOUT, Timeouts};
use std::env;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Requests in progress are cut off when the guard stops.
const TIMEOUTS: Timeouts = Timeouts {
    headers: Some(HEADER_TIMEOUT),
    shutdown: Duration::ZERO,
};

/// Forwards allowed requests to the emulator. The stack's access key is read from AWS_ACCESS_KEY_ID and
/// AWS_SECRET_ACCESS_KEY.
#[derive(Parser)]
#[command(name = "local-guard", version)]
struct Options {
    /// The address to listen on. Only addresses of this machine are allowed
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = server::loopback_address)]
    listen: SocketAddr,
    /// The Unix socket on which the emulator listens
    #[arg(long, value_name = "SOCKET")]
    emulator: PathBuf,
    /// The origin of the product's page, such as http://127.0.0.1:8080
    #[arg(long, value_name = "ORIGIN")]
    page: String,
    /// The prefix of the buckets that the page uses
    #[arg(long, value_name = "PREFIX")]
    bucket_prefix: String,
    /// Another host name that the guard answers to. Can be repeated. Loopback addresses and localhost are always allowed
    #[arg(long, value_name = "NAME", value_parser = hosts::host_name)]
    allow_host: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let (Ok(access_key_id), Ok(secret_access_key)) =
        (env::var("AWS_ACCESS_KEY_ID"), env::var("AWS_SECRET_ACCESS_KEY"))
    else {
        eprintln!("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the stack's access key");
        return ExitCode::FAILURE;
    };
    let rules = Rules {
        hosts: Hosts::new(options.allow_host),
        page: options.page,
        own: format!("http://{}", options.listen),
        bucket_prefix: options.bucket_prefix,
        access_key_id,
        secret_access_key,
    };
    match serve(options.listen, router(rules, &options.emulator)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: SocketAddr, router: Router) -> io::Result<()> {
    let listener = server::listen(address).await?;
    server::serve(listener, router, TIMEOUTS).await
}
