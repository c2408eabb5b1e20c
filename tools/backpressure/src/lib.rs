//! Simulates what happens when many images arrive at once and a service accepts only a limited number of calls per
//! second. The result is the reason for the numbers in the state machines' Retry blocks, which are read from the
//! definitions.

mod definition;
mod import;
mod simulation;

pub use definition::{Definition, Retrier, Visit};
pub use import::{Import, Live, Waits, simulate_import};
pub use simulation::{Outcome, simulate};
