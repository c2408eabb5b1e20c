//! A rate limit, so that clients can be tried against Rekognition's.

use std::sync::Mutex;
use std::time::Instant;

/// A token bucket: so many requests a second, and as many at once after a pause.
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
    /// Takes `per_second` requests a second, which is above 0. A rate below 1 still takes one request at once.
    pub fn new(per_second: f64, now: Instant) -> Self {
        Self {
            per_second,
            state: Mutex::new(State {
                tokens: per_second.max(1.0),
                refilled_at: now,
            }),
        }
    }

    /// Whether a request may pass; if so, it is counted.
    pub fn try_pass(&self, now: Instant) -> bool {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let elapsed = now.saturating_duration_since(state.refilled_at).as_secs_f64();
        state.tokens = (state.tokens + elapsed * self.per_second).min(self.per_second.max(1.0));
        state.refilled_at = state.refilled_at.max(now);
        let passes = state.tokens >= 1.0;
        if passes {
            state.tokens -= 1.0;
        }
        passes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lets_the_rate_pass_and_no_more() {
        let start = Instant::now();
        let throttle = Throttle::new(5.0, start);
        let passed = |at: Duration| (0..20).filter(|_| throttle.try_pass(start + at)).count();
        assert_eq!(passed(Duration::ZERO), 5);
        assert_eq!(passed(Duration::from_millis(400)), 2);
        assert_eq!(
            passed(Duration::from_secs(60)),
            5,
            "a pause must not save up more than one second's worth"
        );
    }

    #[test]
    fn a_rate_below_one_lets_a_request_pass_now_and_then() {
        let start = Instant::now();
        let throttle = Throttle::new(0.5, start);
        assert!(throttle.try_pass(start));
        assert!(!throttle.try_pass(start + Duration::from_secs(1)));
        assert!(throttle.try_pass(start + Duration::from_secs(3)));
    }
}
