//! `cargo xtask status`, `logs` and `redrive --failed`: their options, and their exit codes. What they print is tested in
//! tests/smoke.

use crate::dead_letters;
use serde_json::{Value, json};
use std::path::Path;
use tests::xtask::xtask;
use tests::{Stack, run, wait};

/// Runs the command. Returns its exit code and its output.
fn command(stack: &Stack, arguments: &[&str]) -> (Option<i32>, String) {
    let output = xtask(arguments, &stack.folder);
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), printed)
}

#[test]
fn a_failed_execution_needs_attention_and_its_log_says_why() {
    // `status` hides dead letters for a moment.
    let _alone = dead_letters::alone();
    run(async |stack| {
        wait::until("the log has the error and its execution", async || {
            // The emulator loses some lines on a busy machine.
            let failed = stack.execute(&json!({"hello": "world"})).await;
            // `validate` cannot read the input, so only `record-failure` names the execution.
            let logs = |options: &[&str]| command(stack, &[&["logs", "--since", "10m"], options].concat());
            let (code, about) = logs(&["--execution", &failed.arn]);
            assert_eq!(code, Some(0), "{about}");
            let (code, errors) = logs(&["--function", "validate", "--level", "error"]);
            assert_eq!(code, Some(0), "{errors}");
            (about.contains("record-failure") && errors.contains("error=InvalidInput")).then_some(())
        })
        .await;

        let output = xtask(&["status", "--json"], &stack.folder);
        assert_eq!(output.status.code(), Some(1));
        let status: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let groups = status["failed"]["groups"].as_array().expect("groups");
        // Other tests cause this error at other steps.
        let is_expected =
            |group: &Value| group["error"] == "InvalidInput" && group["state"] == "Validate image";
        assert!(groups.iter().any(is_expected), "{groups:?}");
        let (_, printed) = command(stack, &["status"]);
        let options = format!("redrive --failed --stack-dir {}\n", stack.folder.display());
        assert!(printed.contains(&options), "{printed}");

        let redrive = [
            "redrive",
            "--failed",
            "--error",
            "InvalidInput",
            "--since",
            "10m",
            "--limit",
            "100",
        ];
        let (code, printed) = command(stack, &[&redrive[..], &["--dry-run"]].concat());
        assert_eq!(code, Some(0), "{printed}");
        assert!(printed.contains("new execution"), "{printed}");
        // Tests have no terminal to answer the question.
        let (code, printed) = command(stack, &redrive);
        assert_eq!(code, Some(1), "{printed}");
        assert!(printed.contains("--yes"), "{printed}");
    });
}

#[test]
fn a_status_that_is_unknown_has_another_exit_code_than_one_that_needs_attention() {
    let output = xtask(&["status"], Path::new("/no/such/folder"));
    assert_eq!(output.status.code(), Some(2));
}
