//! The state machines by themselves: their definitions, the cases that test them, and two ways to run them without
//! the steps. [`emulator`] runs whole executions with mocked results; [`test_state`] asks Step Functions' TestState for
//! one state after the other, on AWS too.
//!
//! Nothing here knows a particular machine. [`Machine::all`] reads every `statemachine/*.asl.json`, the cases in
//! `statemachine/cases/<machine>/`, and the functions behind its Tasks from `template.yaml`.

pub mod case;
pub mod definition;
pub mod emulator;
pub mod execution;
pub mod machine;
pub mod test_state;

pub use case::{Case, Expected, Mock};
pub use definition::{Definition, Ending, Transition};
pub use execution::{Execution, Visited};
pub use machine::Machine;
