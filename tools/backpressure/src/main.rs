//! `cargo xtask backpressure`: prints how a state machine's Retry for `Throttled` copes with Rekognition's quotas.

use anyhow::Result;
use backpressure::{Definition, Import, Live, Retrier, simulate, simulate_import};
use clap::Parser;
use std::path::PathBuf;

/// The error that steps return when a service throttles them.
const ERROR: &str = "Throttled";
/// Standard workflows, us-east-1: $25 per million state transitions.
const DOLLARS_PER_TRANSITION: f64 = 25e-6;

/// The simulation holds all images in memory.
const MAX_IMAGES: u64 = 10_000_000;
const MAX_RATE: u64 = 1_000_000;

/// Simulates many images at once against Rekognition's quotas.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask backpressure", bin_name = "cargo xtask backpressure")]
struct Options {
    /// The state machine whose Retry is simulated: a file of the folder `statemachine`, without `.asl.json`
    #[arg(long, value_name = "NAME", default_value = "label-image")]
    state_machine: String,
    /// The state whose Retry is simulated [default: all states have the same one]
    #[arg(long, value_name = "NAME")]
    state: Option<String>,
    /// Images that arrive at the same moment, 1 to 10,000,000
    #[arg(long, default_value_t = 100_000, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u64).range(1..=MAX_IMAGES))]
    images: u64,
    /// Calls per second that Rekognition accepts: its quota is 50 in three regions and 5 elsewhere
    #[arg(long, value_delimiter = ',', default_values_t = [50, 5], allow_negative_numbers = true,
          value_parser = clap::value_parser!(u64).range(1..=MAX_RATE))]
    rates: Vec<u64>,
    /// How fast an import uploads the same images while people upload others, in percent of Rekognition's quota
    #[arg(long, value_name = "PERCENT", value_delimiter = ',', default_values_t = [100, 90, 80, 50],
          allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..=1000))]
    import_rates: Vec<u64>,
    /// How many images people upload beside the import, in percent of Rekognition's quota
    #[arg(long, value_name = "PERCENT", default_value_t = 2, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u64).range(1..=100))]
    live: u64,
    /// How many images each person uploads at once
    #[arg(long, value_name = "IMAGES", default_value_t = 5, allow_negative_numbers = true,
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    live_batch: u64,
    /// Seconds; replaces the definition's `MaxDelaySeconds`
    #[arg(long, value_name = "SECONDS")]
    max_delay: Option<f64>,
    /// Replaces the definition's `MaxAttempts`
    #[arg(long, value_name = "RETRIES")]
    max_attempts: Option<u32>,
    /// The folder of the definitions
    #[arg(long, value_name = "FOLDER", default_value = "statemachine")]
    folder: PathBuf,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let file = options.folder.join(format!("{}.asl.json", options.state_machine));
    let definition = Definition::read(&file)?;
    let mut retrier = match &options.state {
        Some(state) => definition.retrier_of(state, ERROR)?,
        None => definition.retrier(ERROR)?,
    };
    retrier.max_delay_seconds = options.max_delay.unwrap_or(retrier.max_delay_seconds);
    retrier.max_attempts = options.max_attempts.unwrap_or(retrier.max_attempts);
    println!(
        "{}: {} images at once; first wait up to {} s, times {}, at most {} s, full jitter, {} retries\n",
        options.state_machine,
        options.images,
        retrier.interval_seconds,
        retrier.backoff_rate,
        retrier.max_delay_seconds,
        retrier.max_attempts
    );
    println!(
        "calls/s  ideal h  drained h  labeled  failed  retries/image   max  transitions/image  $/1,000 images"
    );
    for rate in &options.rates {
        let outcome = simulate(options.images as usize, *rate, &retrier);
        let per_image = outcome.retries as f64 / options.images as f64;
        let transitions = definition.transitions() as f64 + per_image;
        println!(
            "{rate:>7}  {:>7.2}  {:>9.2}  {:>7}  {:>6}  {per_image:>13.1}  {:>4}  {transitions:>17.1}  {:>14.2}",
            options.images as f64 / *rate as f64 / 3600.0,
            outcome.drained / 3600.0,
            outcome.labeled,
            outcome.failed,
            outcome.max_retries,
            transitions * DOLLARS_PER_TRANSITION * 1000.0,
        );
        if let Some(seconds) = outcome.first_failure {
            println!("         the first image failed after {:.2} h", seconds / 3600.0);
        }
    }
    for quota in &options.rates {
        print_waits(&options, *quota, &retrier);
    }
    Ok(())
}

/// Prints how long live uploads wait while the same images are imported.
fn print_waits(options: &Options, quota: u64, retrier: &Retrier) {
    let live = Live {
        rate: quota as f64 * options.live as f64 / 100.0,
        batch: options.live_batch as usize,
    };
    println!(
        "\nLive uploads beside an import, {quota} calls/s: {} images/s, {} at once; seconds until Rekognition accepts them\n",
        live.rate, live.batch
    );
    println!("import images/s  uploads  failed  median      99 %   longest");
    let limited = options
        .import_rates
        .iter()
        .map(|percent| Some(quota as f64 * *percent as f64 / 100.0));
    for rate in std::iter::once(None).chain(limited) {
        let images = options.images as usize;
        let waits = simulate_import(Import { images, rate }, live, quota, retrier);
        let rate = rate.map_or("all at once".to_owned(), |rate| format!("{rate:.1}"));
        println!(
            "{rate:>15}  {:>7}  {:>6}  {:>6.1}  {:>8.1}  {:>8.1}",
            waits.uploads, waits.failed, waits.median, waits.p99, waits.longest
        );
    }
}
