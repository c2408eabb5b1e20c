//! A local stand-in for DynamoDB: the engine dynoxide on a SQLite file. It rejects the same requests as DynamoDB, such as
//! expressions with reserved words. Every acknowledged write survives the end of the process.

mod engine;

use crate::engine::Engine;
use axum::Router;
use clap::Parser;
use dynoxide::Database;
use local_guard::programs_only;
use local_guard::server::{self, Timeouts};
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A request that is cut off loses nothing: acknowledged writes are already in the file.
const TIMEOUTS: Timeouts = Timeouts {
    headers: None,
    shutdown: Duration::from_secs(5),
};

#[derive(Parser)]
#[command(
    name = "local-dynamodb",
    about = "A local stand-in for DynamoDB on a SQLite file",
    version
)]
struct Options {
    /// The address to listen on. Only addresses of this machine are allowed. With port 0, the system chooses a free port.
    /// The address is printed on standard output
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4569", value_parser = server::loopback_address)]
    listen: SocketAddr,
    /// The file with the tables. It is created if it does not exist
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// Seconds between two deletions of expired items
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    ttl_interval: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> Result<(), Box<dyn Error>> {
    let listener = server::listen(options.listen).await?;
    let file = options.file.to_str().ok_or("the file's path is not UTF-8")?;
    let database = Database::new(file).map_err(|error| format!("cannot open {file}: {error}"))?;
    let expiry = engine::delete_expired(database.clone(), Duration::from_secs(options.ttl_interval));
    tokio::spawn(expiry);
    let engine = Engine::start(database).await?;
    let router = Router::new().fallback(engine::forward).with_state(engine);
    // The engine does not check signatures: any web page could read and change the tables.
    server::serve(listener, programs_only(router), TIMEOUTS).await?;
    Ok(())
}
