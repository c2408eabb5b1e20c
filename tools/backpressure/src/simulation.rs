//! Many images that arrive at the same moment, and a service with a quota.

use crate::Retrier;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const MICROSECONDS: f64 = 1e6;

/// The result of a simulation.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Images whose call was accepted.
    pub labeled: usize,
    /// Images whose retries were used up.
    pub failed: usize,
    /// Seconds until the last image was labeled.
    pub drained: f64,
    /// Seconds until the first image failed.
    pub first_failure: Option<f64>,
    /// Retries of all images.
    pub retries: u64,
    /// The largest number of retries of one image.
    pub max_retries: u32,
}

/// A service that accepts a limited number of calls in each second and throttles all others. The calls must come in the
/// order of their moments.
#[derive(Debug)]
pub(crate) struct Quota {
    rate: u64,
    second: u64,
    accepted: u64,
}

impl Quota {
    pub(crate) fn new(rate: u64) -> Self {
        Self {
            rate,
            second: 0,
            accepted: 0,
        }
    }

    /// Whether a call is accepted. `moment`: in microseconds.
    pub(crate) fn accepts(&mut self, moment: u64) -> bool {
        let second = moment / 1_000_000;
        if second != self.second {
            (self.second, self.accepted) = (second, 0);
        }
        let accepts = self.accepted < self.rate;
        self.accepted += u64::from(accepts);
        accepts
    }
}

/// Simulates `images` that call the service at the same moment. In each second, the service accepts the first `rate`
/// calls and throttles all others.
pub fn simulate(images: usize, rate: u64, retrier: &Retrier) -> Outcome {
    let mut random = fastrand::Rng::with_seed(1);
    let mut quota = Quota::new(rate);
    // The moment of the next call in microseconds, and the retries before it.
    let mut calls: BinaryHeap<Reverse<(u64, u32)>> = (0..images).map(|_| Reverse((0, 0))).collect();
    let mut outcome = Outcome::default();
    while let Some(Reverse((moment, retries))) = calls.pop() {
        let seconds = moment as f64 / MICROSECONDS;
        if quota.accepts(moment) {
            outcome.labeled += 1;
            outcome.drained = seconds;
        } else if retries == retrier.max_attempts {
            outcome.failed += 1;
            outcome.first_failure.get_or_insert(seconds);
        } else {
            outcome.retries += 1;
            outcome.max_retries = outcome.max_retries.max(retries + 1);
            let delay = (retrier.delay(retries, &mut random) * MICROSECONDS) as u64;
            calls.push(Reverse((moment + delay, retries + 1)));
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retrier(max_attempts: u32) -> Retrier {
        serde_json::from_value(serde_json::json!({
            "ErrorEquals": ["Throttled"],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxDelaySeconds": 60,
            "MaxAttempts": max_attempts,
        }))
        .unwrap()
    }

    #[test]
    fn labels_every_image_and_never_exceeds_the_quota() {
        let outcome = simulate(1000, 10, &retrier(1000));
        assert_eq!((outcome.labeled, outcome.failed), (1000, 0));
        assert!(
            outcome.drained >= 99.0,
            "10 a second cannot drain 1,000 sooner: {}",
            outcome.drained
        );
    }

    #[test]
    fn counts_images_with_too_few_retries_as_failed() {
        let outcome = simulate(1000, 1, &retrier(2));
        assert_eq!(outcome.labeled + outcome.failed, 1000);
        assert!(outcome.failed > 0 && outcome.first_failure.is_some());
    }
}
