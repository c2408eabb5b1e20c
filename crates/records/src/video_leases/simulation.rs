//! Simulates an owner with 500 videos, and another one with a single video an hour later, with the Retry block of "Label video",
//! which is read from the definition. It justifies the share of an owner: half of the jobs that an account can have.
//!
//! Assumptions: an account can have 20 jobs in progress. A job takes 5 to 15 minutes. All videos of an owner arrive at once.

use super::{LEASE, Leases};
use backpressure::{Definition, Retrier};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use uuid::Uuid;

const DEFINITION: &str = include_str!("../../../../statemachine/label-video.asl.json");
const STATE: &str = "Label video";
/// Jobs of an account: Rekognition's quota.
const JOBS: usize = 20;
/// The default of the parameter `VideoJobsPerOwner`.
const SHARE: usize = 10;
const VIDEOS: usize = 500;
/// When the single video arrives.
const ARRIVAL: f64 = 3600.0;
const RUNS: u64 = 21;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A job of an owner has ended. Sorted before attempts at the same time.
    Ended { owner: usize, video: usize },
    /// An execution tries to start its job.
    Attempt {
        owner: usize,
        video: usize,
        retries: u32,
    },
}

#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// For each owner, the longest wait of a video until its job has started, in seconds.
    longest: Vec<f64>,
    /// For each owner, the videos whose retries were used up.
    failed: Vec<usize>,
}

fn retrier() -> Retrier {
    let definition = Definition::parse(DEFINITION).unwrap();
    definition.retrier_of(STATE, "Throttled").unwrap()
}

/// `owners`: how many videos each has, and when they arrive, in seconds.
fn simulate(owners: &[(usize, f64)], share: usize, retrier: &Retrier, seed: u64) -> Outcome {
    let mut random = fastrand::Rng::with_seed(seed);
    // Milliseconds as integers, because floats cannot be keys of the heap.
    let key = |seconds: f64| (seconds * 1e3) as u64;
    let mut leases = vec![Leases::default(); owners.len()];
    let mut outcome = Outcome {
        longest: vec![0.0; owners.len()],
        failed: vec![0; owners.len()],
    };
    let mut in_progress = 0;
    let execution = |owner: usize, video: usize| Uuid::from_u64_pair(owner as u64, video as u64);
    let mut events = BinaryHeap::new();
    for (owner, (videos, arrival)) in owners.iter().enumerate() {
        for video in 0..*videos {
            let attempt = Event::Attempt {
                owner,
                video,
                retries: 0,
            };
            events.push(Reverse((key(*arrival), attempt)));
        }
    }
    while let Some(Reverse((millisecond, event))) = events.pop() {
        let seconds = millisecond as f64 / 1e3;
        let now = Timestamp::from_millisecond(millisecond.cast_signed()).unwrap();
        match event {
            Event::Ended { owner, video } => {
                in_progress -= 1;
                leases[owner].return_lease(execution(owner, video), now);
            }
            Event::Attempt {
                owner,
                video,
                retries,
            } => {
                let execution = execution(owner, video);
                if leases[owner].take(execution, share, now) {
                    if in_progress < JOBS {
                        in_progress += 1;
                        let waited = seconds - owners[owner].1;
                        outcome.longest[owner] = outcome.longest[owner].max(waited);
                        let duration = 300.0 + 600.0 * random.f64();
                        events.push(Reverse((key(seconds + duration), Event::Ended { owner, video })));
                        continue;
                    }
                    // LimitExceededException
                    leases[owner].return_lease(execution, now);
                }
                if retries == retrier.max_attempts {
                    outcome.failed[owner] += 1;
                    continue;
                }
                let next = Event::Attempt {
                    owner,
                    video,
                    retries: retries + 1,
                };
                events.push(Reverse((
                    key(seconds + retrier.delay(retries, &mut random)),
                    next,
                )));
            }
        }
    }
    outcome
}

/// How long the single video waits beside `busy` owners with many: the median of some runs, and the longest, in minutes.
fn waits(busy: usize, share: usize) -> (f64, f64) {
    let retrier = retrier();
    let mut owners = vec![(VIDEOS, 0.0); busy];
    owners.push((1, ARRIVAL));
    let run = |seed| simulate(&owners, share, &retrier, seed).longest[busy] / 60.0;
    let mut waits: Vec<f64> = (0..RUNS).map(run).collect();
    waits.sort_by(f64::total_cmp);
    let (median, longest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    println!("{busy} busy owners, at most {share} jobs each: {median:.1} minutes, at most {longest:.1}");
    (median, longest)
}

#[test]
fn a_single_video_waits_for_hours_without_a_share_and_not_at_all_with_one() {
    let (median, _) = waits(1, JOBS);
    assert!(median > 30.0, "{median} minutes");
    let (_, longest) = waits(1, SHARE);
    assert!(longest < 1.0, "{longest} minutes");
}

/// The share protects others from one busy owner only, unless it is smaller.
#[test]
fn as_many_busy_owners_as_fill_all_places_make_a_single_video_wait() {
    let (median, _) = waits(2, SHARE);
    assert!(median > 30.0, "{median} minutes");
    let (_, longest) = waits(2, JOBS / 3);
    assert!(longest < 1.0, "{longest} minutes");
}

/// The price of the share.
#[test]
fn a_busy_owner_alone_waits_longer_and_loses_few_videos() {
    let retrier = retrier();
    let run = |share| simulate(&[(VIDEOS, 0.0)], share, &retrier, 1);
    let (all, half) = (run(JOBS), run(SHARE));
    println!("all jobs: {all:?}; half of them: {half:?}");
    assert_eq!(all.failed, [0]);
    assert!(half.failed[0] < VIDEOS / 20, "{half:?}");
    assert!(half.longest[0] > 1.5 * all.longest[0], "{half:?}");
}

/// If a lease expired between two attempts, other executions of the owner would take the lease of a job in progress.
#[test]
fn a_lease_is_longer_than_the_time_between_two_attempts() {
    let definition: serde_json::Value = serde_json::from_str(DEFINITION).unwrap();
    let heartbeat = definition["States"][STATE]["HeartbeatSeconds"].as_f64().unwrap();
    let between = SignedDuration::from_secs_f64(heartbeat + retrier().max_delay_seconds);
    assert!(between < LEASE, "{between}");
}
