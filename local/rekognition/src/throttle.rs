//! A rate limiter, to test clients against Rekognition's limits.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A token bucket that holds the tokens of one second.
#[derive(Debug)]
pub struct Throttle {
    per_second: f64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    tokens: f64,
    refilled_at: Instant,
}

impl Throttle {
    /// Accepts `per_second` requests a second, which must be above 0. A rate below 1 accepts the first request at once.
    pub fn new(per_second: f64, now: Instant) -> Self {
        Self {
            per_second,
            state: Mutex::new(State {
                tokens: per_second.max(1.0),
                refilled_at: now,
            }),
        }
    }

    /// Whether a request is accepted. Takes a token if it is.
    pub fn try_accept(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = now.saturating_duration_since(state.refilled_at).as_secs_f64();
        state.tokens = (state.tokens + elapsed * self.per_second).min(self.per_second.max(1.0));
        state.refilled_at = state.refilled_at.max(now);
        let accepts = state.tokens >= 1.0;
        if accepts {
            state.tokens -= 1.0;
        }
        accepts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn accepts_the_configured_rate() {
        let start = Instant::now();
        let throttle = Throttle::new(5.0, start);
        let accepted = |at: Duration| (0..20).filter(|_| throttle.try_accept(start + at)).count();
        assert_eq!(accepted(Duration::ZERO), 5);
        assert_eq!(accepted(Duration::from_millis(400)), 2);
        assert_eq!(
            accepted(Duration::from_secs(60)),
            5,
            "a pause saves the tokens of one second only"
        );
    }

    #[test]
    fn a_rate_below_one_accepts_a_request_after_some_seconds() {
        let start = Instant::now();
        let throttle = Throttle::new(0.5, start);
        assert!(throttle.try_accept(start));
        assert!(!throttle.try_accept(start + Duration::from_secs(1)));
        assert!(throttle.try_accept(start + Duration::from_secs(3)));
    }
}
