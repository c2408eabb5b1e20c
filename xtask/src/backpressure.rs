//! `cargo xtask backpressure`: simulates what happens when many images arrive at once and Rekognition
//! takes only so many calls a second. It is the reason for the numbers in the state machine's Retry
//! block, and reads them from there.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use serde::Deserialize;
use serde_json::Value;

use crate::project::Project;

/// Standard workflows, us-east-1: $25 a million state transitions.
const DOLLARS_PER_TRANSITION: f64 = 25e-6;
/// The common path of an image, without retries.
const TRANSITIONS: f64 = 5.0;
const MICROSECONDS: f64 = 1e6;

#[derive(Args)]
pub(crate) struct BackpressureOptions {
    /// Images that arrive at the same moment
    #[arg(long, default_value_t = 100_000)]
    images: usize,
    /// Calls a second that Rekognition takes: its quota is 50 in three regions and 5 elsewhere
    #[arg(long, value_delimiter = ',', default_values_t = [50, 5])]
    rates: Vec<u64>,
    /// Seconds; in place of the definition's `MaxDelaySeconds`
    #[arg(long)]
    cap: Option<f64>,
    /// In place of the definition's `MaxAttempts`
    #[arg(long)]
    attempts: Option<u32>,
}

/// A retrier of the state machine, as it stands in the definition.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Retrier {
    error_equals: Vec<String>,
    #[serde(default)]
    interval_seconds: f64,
    #[serde(default)]
    backoff_rate: f64,
    #[serde(default)]
    max_delay_seconds: f64,
    max_attempts: u32,
}

impl Retrier {
    /// Full jitter: anything from nothing to the backoff, in microseconds.
    fn delay(&self, retries: u32, random: &mut fastrand::Rng) -> u64 {
        let backoff = self.interval_seconds * self.backoff_rate.powi(retries.min(64).cast_signed());
        (random.f64() * backoff.min(self.max_delay_seconds) * MICROSECONDS) as u64
    }
}

/// How a crowd of images fared.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    labeled: usize,
    failed: usize,
    /// Seconds until the last image was labeled.
    drained: f64,
    /// Seconds until the unluckiest image gave up.
    first_failure: Option<f64>,
    retries: u64,
    most_retries: u32,
}

/// Runs `cargo xtask backpressure`.
pub(crate) fn backpressure(options: &BackpressureOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut retrier = throttled(&project.path("statemachine/label-image.asl.json"))?;
    retrier.max_delay_seconds = options.cap.unwrap_or(retrier.max_delay_seconds);
    retrier.max_attempts = options.attempts.unwrap_or(retrier.max_attempts);
    println!(
        "{} images at once; first wait up to {} s, times {}, capped at {} s, full jitter, {} retries\n",
        options.images,
        retrier.interval_seconds,
        retrier.backoff_rate,
        retrier.max_delay_seconds,
        retrier.max_attempts
    );
    println!(
        "calls/s  ideal h  drained h  labeled  failed  retries/image  most  transitions/image  $/1,000 images"
    );
    for rate in &options.rates {
        let outcome = simulate(options.images, *rate, &retrier);
        let per_image = outcome.retries as f64 / options.images as f64;
        let transitions = TRANSITIONS + per_image;
        println!(
            "{rate:>7}  {:>7.2}  {:>9.2}  {:>7}  {:>6}  {per_image:>13.1}  {:>4}  {transitions:>17.1}  {:>14.2}",
            options.images as f64 / *rate as f64 / 3600.0,
            outcome.drained / 3600.0,
            outcome.labeled,
            outcome.failed,
            outcome.most_retries,
            transitions * DOLLARS_PER_TRANSITION * 1000.0,
        );
        if let Some(seconds) = outcome.first_failure {
            println!("         the first image gave up after {:.2} h", seconds / 3600.0);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The retrier for throttling of the state that calls Rekognition.
fn throttled(definition: &std::path::Path) -> Result<Retrier> {
    let text = std::fs::read_to_string(definition)
        .with_context(|| format!("cannot read {}", definition.display()))?;
    let definition: Value = serde_json::from_str(&text)?;
    let retriers: Vec<Retrier> =
        serde_json::from_value(definition["States"]["Detect labels"]["Retry"].clone())?;
    let throttled = |retrier: &Retrier| retrier.error_equals.iter().any(|name| name == "Throttled");
    retriers
        .into_iter()
        .find(throttled)
        .context("\"Detect labels\" has no Retry for Throttled")
}

/// Each second, Rekognition takes the first `rate` calls and throttles the rest.
fn simulate(images: usize, rate: u64, retrier: &Retrier) -> Outcome {
    let mut random = fastrand::Rng::with_seed(1);
    let mut taken: HashMap<u64, u64> = HashMap::new();
    // The moment of the next call in microseconds, and the retries before it.
    let mut calls: BinaryHeap<Reverse<(u64, u32)>> = (0..images).map(|_| Reverse((0, 0))).collect();
    let mut outcome = Outcome::default();
    while let Some(Reverse((moment, retries))) = calls.pop() {
        let seconds = moment as f64 / MICROSECONDS;
        let this_second = taken.entry(moment / 1_000_000).or_default();
        if *this_second < rate {
            *this_second += 1;
            outcome.labeled += 1;
            outcome.drained = seconds;
        } else if retries == retrier.max_attempts {
            outcome.failed += 1;
            outcome.first_failure.get_or_insert(seconds);
        } else {
            outcome.retries += 1;
            outcome.most_retries = outcome.most_retries.max(retries + 1);
            calls.push(Reverse((
                moment + retrier.delay(retries, &mut random),
                retries + 1,
            )));
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(max_attempts: u32) -> Retrier {
        Retrier {
            error_equals: vec![],
            interval_seconds: 1.0,
            backoff_rate: 2.0,
            max_delay_seconds: 60.0,
            max_attempts,
        }
    }

    #[test]
    fn no_second_takes_more_calls_than_the_quota_and_none_is_lost() {
        let outcome = simulate(1000, 10, &retrier(1000));
        assert_eq!((outcome.labeled, outcome.failed), (1000, 0));
        assert!(
            outcome.drained >= 99.0,
            "10 a second cannot drain 1,000 sooner: {}",
            outcome.drained
        );
    }

    #[test]
    fn too_few_retries_are_told_as_failures() {
        let outcome = simulate(1000, 1, &retrier(2));
        assert_eq!(outcome.labeled + outcome.failed, 1000);
        assert!(outcome.failed > 0 && outcome.first_failure.is_some());
    }
}
