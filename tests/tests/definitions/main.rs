//! The state machines' definitions and `template.yaml`, compared with each other and with the code. Needs no running
//! stack; `paths` starts its own emulator.
//!
//! Every check looks at all machines of `statemachine/` and returns what is wrong, so that `planted` can show that it
//! finds faults in a second machine.

mod alarms;
mod contracts;
mod dead_letters;
mod errors;
mod files;
mod paths;
mod permissions;
mod planted;
mod retries;
mod steps;

use tests::state_machine::Machine;
use tests::state_machine::machine::repository;

fn machines() -> Vec<Machine> {
    Machine::all(&repository())
}

/// Fails with one line for each fault.
#[track_caller]
fn assert_no_faults(faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}
