//! Live uploads while an import runs: both call the same service with a quota.

use crate::Retrier;
use crate::simulation::Quota;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

const MICROSECONDS: f64 = 1e6;

/// Many images that a program uploads.
#[derive(Debug, Clone, Copy)]
pub struct Import {
    /// The number of images.
    pub images: usize,
    /// Images per second. `None`: all at the same moment.
    pub rate: Option<f64>,
}

/// Images that people upload while the import runs.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// Images per second on average, at random moments.
    pub rate: f64,
    /// Images that a person uploads at the same moment.
    pub batch: usize,
}

/// How long the calls of live uploads were throttled, in seconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Waits {
    /// The number of live uploads.
    pub uploads: usize,
    /// Live uploads whose retries were used up.
    pub failed: usize,
    /// Half of the live uploads waited at most this long.
    pub median: f64,
    /// 99% of the live uploads waited at most this long.
    pub p99: f64,
    /// The longest wait.
    pub longest: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    Import,
    /// Uploaded live, at this moment in microseconds.
    Live(u64),
}

/// Simulates live uploads from the start of an import until all its images would be labeled if the service did nothing
/// else. In each second, the service accepts the first `quota` calls and throttles all others.
pub fn simulate_import(import: Import, live: Live, quota: u64, retrier: &Retrier) -> Waits {
    let mut random = fastrand::Rng::with_seed(1);
    let rate = import.rate.unwrap_or(f64::INFINITY);
    let end = import.images as f64 / rate.min(quota as f64);
    // The moment of the next call in microseconds, the retries before it, and whose it is.
    let mut calls = BinaryHeap::new();
    for image in 0..import.images {
        calls.push(Reverse((micros(image as f64 / rate), 0, Origin::Import)));
    }
    let mut uploads = 0;
    let mut moment = 0.0;
    loop {
        // Exponentially distributed: people upload independently of each other.
        moment -= (1.0 - random.f64()).ln() * live.batch as f64 / live.rate;
        if moment >= end {
            break;
        }
        let at = micros(moment);
        calls.extend((0..live.batch).map(|_| Reverse((at, 0, Origin::Live(at)))));
        uploads += live.batch;
    }
    let mut quota = Quota::new(quota);
    let mut waits = Vec::with_capacity(uploads);
    let mut failed = 0;
    while let Some(Reverse((moment, retries, origin))) = calls.pop() {
        if quota.accepts(moment) {
            if let Origin::Live(since) = origin {
                waits.push((moment - since) as f64 / MICROSECONDS);
            }
        } else if retries < retrier.max_attempts {
            let delay = micros(retrier.delay(retries, &mut random));
            calls.push(Reverse((moment + delay, retries + 1, origin)));
        } else if origin != Origin::Import {
            failed += 1;
        }
        if waits.len() + failed == uploads {
            break;
        }
    }
    waits.sort_by(f64::total_cmp);
    let percentile = |share: f64| {
        let rank = (waits.len() as f64 * share).ceil() as usize;
        waits.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    };
    Waits {
        uploads,
        failed,
        median: percentile(0.5),
        p99: percentile(0.99),
        longest: percentile(1.0),
    }
}

fn micros(seconds: f64) -> u64 {
    (seconds * MICROSECONDS) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Definition;

    fn retrier() -> Retrier {
        let definition = include_str!("../../../statemachine/label-image.asl.json");
        Definition::parse(definition)
            .unwrap()
            .retrier("Throttled")
            .unwrap()
    }

    fn waits(images: usize, rate: Option<f64>) -> Waits {
        let live = Live { rate: 0.2, batch: 2 };
        simulate_import(Import { images, rate }, live, 4, &retrier())
    }

    /// The retries of the import's images use up the quota of every second.
    #[test]
    fn one_live_upload_in_a_hundred_waits_for_hours_beside_an_import_that_starts_everything_at_once() {
        let hours = 6.0;
        let waits = waits((hours * 3600.0) as usize * 4, None);
        assert!(waits.uploads > 1000, "{waits:?}");
        assert!(waits.median > 60.0, "{waits:?}");
        assert!(waits.p99 > 3600.0, "{waits:?}");
    }

    #[test]
    fn a_live_upload_waits_for_seconds_if_the_import_leaves_a_fifth_of_the_quota_free() {
        let waits = waits(36_000, Some(3.2));
        assert!(waits.p99 < 10.0, "{waits:?}");
        assert_eq!((waits.median, waits.failed), (0.0, 0), "{waits:?}");
    }

    /// If it grew, nobody could say which rate is right for the next, larger import.
    #[test]
    fn the_wait_beside_a_limited_import_does_not_grow_with_the_import() {
        let (small, large) = (waits(5_000, Some(3.2)), waits(100_000, Some(3.2)));
        assert!(large.p99 < 10.0 && small.p99 < 10.0, "{small:?} {large:?}");
        assert!(large.longest < 60.0, "{large:?}");
    }

    #[test]
    fn nobody_waits_for_an_import_of_nothing() {
        let none = waits(0, None);
        assert_eq!((none.uploads, none.failed, none.longest), (0, 0, 0.0));
    }
}
