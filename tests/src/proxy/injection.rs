//! Faults that a test injects into the calls of some functions.

use super::{Call, Fault, Proxy, State, Watch, lock};
use crate::wait;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Faults are injected, and calls counted, as long as this is kept.
#[must_use]
pub struct Injection {
    id: u64,
    counts: Arc<Counts>,
    state: Arc<Mutex<State>>,
}

/// What an [`Injection`] has counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    calls: AtomicUsize,
    faults: AtomicUsize,
}

impl fmt::Debug for Injection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Injection")
            .field("id", &self.id)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl Drop for Injection {
    fn drop(&mut self) {
        lock(&self.state).watches.remove(&self.id);
    }
}

impl Injection {
    /// How many calls have come.
    pub fn calls(&self) -> usize {
        self.counts.calls.load(Ordering::SeqCst)
    }

    /// How many faults have been injected.
    pub fn faults(&self) -> usize {
        self.counts.faults.load(Ordering::SeqCst)
    }

    /// Waits until the first fault is injected.
    ///
    /// # Panics
    /// If no call gets a fault.
    pub async fn reached(&self) {
        wait::until("a call gets a fault", async || (self.faults() > 0).then_some(())).await;
    }
}

impl Proxy {
    /// From now on, `decide` chooses the fault of each call of these functions whose text contains `about`, such as an
    /// owner that only one test has. It gets the number of the call, from 0. A call that gets a fault from an earlier
    /// injection is neither counted nor given to this one.
    pub fn inject(
        &self,
        functions: &[&str],
        about: &str,
        mut decide: impl FnMut(usize, &Call) -> Option<Fault> + Send + 'static,
    ) -> Injection {
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        let mut state = lock(&self.state);
        state.next += 1;
        let id = state.next;
        let watch = Watch {
            functions: functions.iter().map(|function| (*function).to_owned()).collect(),
            about: about.to_owned(),
            decide: Box::new(move |call| {
                let fault = decide(counted.calls.fetch_add(1, Ordering::SeqCst), call);
                counted
                    .faults
                    .fetch_add(usize::from(fault.is_some()), Ordering::SeqCst);
                fault
            }),
            answers: vec![],
        };
        state.watches.insert(id, watch);
        Injection {
            id,
            counts,
            state: Arc::clone(&self.state),
        }
    }

    /// Injects the same fault into the call with the number `first` and into all that follow.
    pub fn inject_from(&self, functions: &[&str], about: &str, first: usize, fault: Fault) -> Injection {
        self.inject(functions, about, move |number, _| {
            (number >= first).then_some(fault)
        })
    }
}
