//! Simulates the storing of 10,000 images of one owner at once. It justifies the numbers in [`super`] and in the Retry
//! block of "Persist result", which it reads from the definition.
//!
//! Assumptions about DynamoDB: a partition accepts 1,000 write units per second and does not split. A transaction locks
//! its items for 20 ms. A transaction that conflicts with another one is canceled and costs as much as a successful
//! one. Assumption about Lambda: 1,000 concurrent functions, an account's default.

use super::{TRIES, limit};
use backpressure::{Definition, Retrier};
use capacity::items::Items;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const IMAGES: usize = 10_000;
const UNITS_PER_SECOND: f64 = 1000.0;
/// How long a transaction locks its items, in seconds.
const TRANSACTION: f64 = 0.020;
const CONCURRENCY: usize = 1000;
/// The number of different labels of the owner. The first ones are in most pictures.
const LABELS: usize = 300;

/// The retrier of the state that stores the result.
fn retrier(error: &str) -> Retrier {
    let definition = include_str!("../../../../statemachine/label-image.asl.json");
    let definition = Definition::parse(definition).unwrap();
    definition.retrier_of("Persist result", error).unwrap()
}

/// An image that is being processed.
#[derive(Debug, Clone, Default)]
struct Image {
    labels: Vec<usize>,
    /// Tries of the running function.
    tries: u32,
    /// Retries by Step Functions after `Throttled` errors of the step.
    throttled: u32,
    /// Retries by Step Functions after Lambda refused the invocation.
    refused: u32,
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    stored: usize,
    failed: usize,
    /// Seconds until the last image was stored.
    drained: f64,
    conflicts: usize,
    throttles: usize,
    max_retries: u32,
}

/// Draws `labels` labels for each image. The first labels are the most frequent.
fn images(labels: usize, random: &mut fastrand::Rng) -> Vec<Image> {
    let image = |random: &mut fastrand::Rng| {
        let mut drawn = vec![];
        while drawn.len() < labels {
            // Every picture of this owner has the first label.
            let label = if drawn.is_empty() {
                0
            } else {
                (random.f64().powi(3) * LABELS as f64) as usize
            };
            if !drawn.contains(&label) {
                drawn.push(label);
            }
        }
        Image {
            labels: drawn,
            ..Image::default()
        }
    };
    (0..IMAGES).map(|_| image(random)).collect()
}

/// The write units of a transaction in the owner's partition. Each label row is in another partition and is not counted.
fn units(labels: usize) -> f64 {
    Items::new(labels as u32).owner_transaction_units() as f64
}

/// `arrivals`: images per second that reach the step.
fn simulate(labels: usize, arrivals: f64, throttled: &Retrier, refused: &Retrier) -> Outcome {
    let mut random = fastrand::Rng::with_seed(1);
    let mut images = images(labels, &mut random);
    let units = units(labels);
    // Write units outside the transaction: for the claim, the metadata, the thumbnails and the record of the upload.
    let others = 8.0;
    let mut left = UNITS_PER_SECOND;
    let mut before = 0.0;
    let mut busy = [0.0; LABELS];
    let mut running = 0;
    let mut outcome = Outcome::default();
    // Nanoseconds as integers, because floats cannot be keys of the heap.
    let key = |moment: f64| (moment * 1e9) as u64;
    let mut calls: BinaryHeap<_> = (0..IMAGES)
        .map(|image| Reverse((key(image as f64 / arrivals), image)))
        .collect();
    while let Some(Reverse((moment, number))) = calls.pop() {
        let now = moment as f64 / 1e9;
        let image = &mut images[number];
        if image.tries == 0 {
            if running == CONCURRENCY {
                if image.refused == refused.max_attempts {
                    outcome.failed += 1;
                } else {
                    let delay = refused.delay(image.refused, &mut random);
                    image.refused += 1;
                    calls.push(Reverse((key(now + delay), number)));
                }
                continue;
            }
            running += 1;
        }
        left = (left + (now - before) * UNITS_PER_SECOND).min(UNITS_PER_SECOND);
        before = now;
        if left < units {
            outcome.throttles += 1;
        } else if image.labels.iter().any(|label| busy[*label] > now) {
            left -= units;
            outcome.conflicts += 1;
        } else {
            left -= units + others;
            for label in &image.labels {
                busy[*label] = now + TRANSACTION;
            }
            running -= 1;
            outcome.stored += 1;
            outcome.drained = now;
            outcome.max_retries = outcome.max_retries.max(image.throttled);
            continue;
        }
        image.tries += 1;
        if image.tries < TRIES {
            let wait = limit(image.tries).as_secs_f64() * random.f64();
            calls.push(Reverse((key(now + TRANSACTION + wait), number)));
            continue;
        }
        running -= 1;
        image.tries = 0;
        if image.throttled == throttled.max_attempts {
            outcome.failed += 1;
        } else {
            let delay = throttled.delay(image.throttled, &mut random);
            image.throttled += 1;
            calls.push(Reverse((key(now + TRANSACTION + delay), number)));
        }
    }
    outcome
}

#[test]
fn ten_thousand_images_of_one_owner_are_all_stored() {
    let (throttled, refused) = (retrier("Throttled"), retrier("Lambda.TooManyRequestsException"));
    for labels in [10, 30] {
        // All at once, and at Rekognition's default rate of 50 per second.
        for arrivals in [f64::INFINITY, 50.0] {
            let outcome = simulate(labels, arrivals, &throttled, &refused);
            println!("{labels} labels, {arrivals} images per second: {outcome:?}");
            assert_eq!((outcome.stored, outcome.failed), (IMAGES, 0));
            let seconds = IMAGES as f64 * units(labels) / UNITS_PER_SECOND;
            assert!(
                outcome.drained > seconds - 1.0,
                "faster than DynamoDB accepts writes: {outcome:?}"
            );
        }
    }
}

/// Shows that the simulation reports images as failed if the Retry block allows too few retries.
#[test]
fn counts_images_with_too_few_retries_as_failed() {
    let mut few = retrier("Throttled");
    few.max_attempts = 3;
    let outcome = simulate(10, f64::INFINITY, &few, &few);
    assert_eq!(outcome.stored + outcome.failed, IMAGES);
    assert!(outcome.failed > 0);
}
