//! The state machine by itself: its definition, the cases that test it, and two ways to run them without
//! the steps. [`emulator`] runs whole executions with mocked results; [`test_state`] asks Step Functions'
//! TestState for one state after the other, on AWS too.

pub mod case;
pub mod definition;
pub mod emulator;
pub mod execution;
pub mod test_state;

pub use case::{Case, Expected, Mock};
pub use definition::{Definition, Ending, Transition};
pub use execution::{Execution, Visited};
