//! Waiting for what will happen, and no longer.

use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Enough for the slowest thing that is waited for, on a busy machine. Nothing is asserted about speed.
const DEADLINE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);

/// Looks again and again until there is something to give back.
///
/// # Panics
/// After two minutes, with `what` was waited for.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            start.elapsed() < DEADLINE,
            "waited {} seconds in vain until {what}",
            DEADLINE.as_secs()
        );
        sleep(PAUSE).await;
    }
}
