//! Calls that are broken from one of them on.

use super::{Breaking, Fault, Proxy};
use crate::wait;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts the calls about something, and breaks them from one on, as long as this is kept.
#[derive(Debug)]
#[must_use]
pub struct BrokenFrom {
    calls: Arc<AtomicUsize>,
    from: usize,
    _breaking: Breaking,
}

impl BrokenFrom {
    /// From the call with this number on, from 0. `about` is as for [`Proxy::break_calls`].
    pub fn new(proxy: &Proxy, about: &str, from: usize, fault: Fault) -> Self {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let breaking = proxy.break_calls(about, move |_| {
            (counted.fetch_add(1, Ordering::SeqCst) >= from).then_some(fault)
        });
        Self {
            calls,
            from,
            _breaking: breaking,
        }
    }

    /// Waits until the first call that is broken has come.
    ///
    /// # Panics
    /// Where it does not come.
    pub async fn reached(&self) {
        wait::until(&format!("call {} comes", self.from), async || {
            (self.calls() > self.from).then_some(())
        })
        .await;
    }

    /// How many calls have come.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}
