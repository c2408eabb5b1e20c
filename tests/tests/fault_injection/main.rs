//! Faults injected into the functions' calls to AWS services.
//!
//! While it runs, the calls of all functions of the stack pass through a proxy, so this program must not run at the
//! same time as others that use the stack.

mod derived_objects;
mod import;
mod incomplete_reads;
mod owner_requests;
mod reconciler;
mod services;
mod videos;

/// How many calls a run makes that is not disturbed. On a busy machine, a call that takes too long is repeated, so the run with
/// fewest calls of three counts.
async fn undisturbed_calls(run: impl AsyncFn() -> usize) -> usize {
    let (first, second, third) = futures_util::join!(run(), run(), run());
    first.min(second).min(third)
}
