//! Ends a run early: Ctrl+C, or an error that every other file would have as well.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, SystemTime};

/// The exit code after a signal, as `cargo xtask` has it.
pub(super) const INTERRUPTED: u8 = 130;
/// How often a pause checks whether it should end.
const POLL: Duration = Duration::from_millis(100);

/// Whether the run should end, and why.
#[derive(Default)]
pub(super) struct Stop {
    signal: Arc<AtomicBool>,
    reason: OnceLock<String>,
}

impl Stop {
    /// Ends at SIGINT, SIGTERM or SIGHUP. A second SIGINT ends this program at once. The others can arrive more than once
    /// for the same reason.
    ///
    /// # Errors
    /// The signals can't be caught.
    pub(super) fn at_signals() -> Result<Self> {
        let stop = Self::default();
        // The first signal only sets the flag, because this action comes before.
        flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), Arc::clone(&stop.signal))
            .context("can't catch signals")?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            flag::register(signal, Arc::clone(&stop.signal)).context("can't catch signals")?;
        }
        Ok(stop)
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.signal.load(Ordering::SeqCst)
    }

    pub(super) fn is_set(&self) -> bool {
        self.is_interrupted() || self.reason.get().is_some()
    }

    /// Ends the run. The first reason counts.
    pub(super) fn because(&self, reason: String) {
        // It fails if there is a reason already.
        let _ = self.reason.set(reason);
    }

    /// Why the run ended early. `None` if it did not.
    pub(super) fn reason(&self) -> Option<&str> {
        let interrupted = self.is_interrupted().then_some("interrupted");
        self.reason.get().map(String::as_str).or(interrupted)
    }

    /// Pauses until the clock shows `end` or the run should end. Not by a monotonic clock, which stops while a laptop
    /// sleeps.
    pub(super) fn sleep_until(&self, end: SystemTime) {
        while !self.is_set() {
            match end.duration_since(SystemTime::now()) {
                Ok(left) if !left.is_zero() => thread::sleep(left.min(POLL)),
                _ => return,
            }
        }
    }
}
