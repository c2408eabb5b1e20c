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
