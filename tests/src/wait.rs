//! Waits for conditions instead of fixed times.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Enough for the slowest condition on a busy machine: an outage that outlasts all retries takes more than a minute on an
/// idle one. The tests assert nothing about speed.
const DEADLINE: Duration = Duration::from_secs(900);
/// The first pause between two polls, and the longest. Pauses grow, so that long waits leave the processor to what they
/// wait for.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_millis(400);

/// Polls until `look` returns something, and returns that.
///
/// # Panics
/// After 15 minutes, with what it waited for: `until` is followed by `what`.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "timed out after {} seconds: waiting until {what}",
            DEADLINE.as_secs()
        );
        sleep(pause).await;
        pause = pause.mul_f64(1.25).min(MAX_PAUSE);
    }
}
