//! `cargo xtask user`: accounts on a local stack, whose emulator sends no email.

use serde_json::json;
use tests::xtask::xtask;
use tests::{Stack, run};
use uuid::Uuid;

/// Runs the command. Returns whether it succeeded, and its output.
fn user(stack: &Stack, arguments: &[&str]) -> (bool, String) {
    let output = xtask(&[&["user"], arguments].concat(), &stack.folder);
    let printed =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), printed)
}

#[test]
fn an_added_user_can_sign_in_and_is_listed_until_removed() {
    run(async |stack| {
        let email = format!("{}@example.com", Uuid::now_v7().simple());
        let (added, printed) = user(stack, &["add", &email]);
        assert!(added, "{printed}");
        let password = printed.trim().rsplit(' ').next().expect("a password");
        let pool = &stack.user_pool;
        let tokens = pool.sign_in(&pool.client_id, &email, password).await;
        assert!(!tokens.access.is_empty());

        let question = json!({"UserPoolId": pool.id, "Username": email});
        let account = pool.call("AdminGetUser", &question).await;
        let attributes = account["UserAttributes"].as_array().expect("attributes");
        let has = |name: &str, value: &str| attributes.contains(&json!({"Name": name, "Value": value}));
        assert!(
            has("email", &email) && has("email_verified", "true"),
            "both are required for a password reset: {account}"
        );

        let (listed, printed) = user(stack, &["list"]);
        let line = printed.lines().find(|line| line.starts_with(&email));
        assert!(
            listed && line.is_some_and(|line| line.ends_with("active")),
            "{printed}"
        );

        let (again, printed) = user(stack, &["add", &email]);
        assert!(!again && printed.contains("already has an account"), "{printed}");

        let (removed, printed) = user(stack, &["remove", &email]);
        assert!(removed && printed.contains("can't sign in anymore"), "{printed}");
        let (removed, printed) = user(stack, &["remove", &email]);
        assert!(!removed && printed.contains("has no account"), "{printed}");
        assert!(!user(stack, &["list"]).1.contains(&email));
    });
}

#[test]
fn text_that_is_not_an_email_address_is_refused_with_an_example() {
    run(async |stack| {
        let (added, printed) = user(stack, &["add", "ada"]);
        assert!(!added && printed.contains("such as ada@example.com"), "{printed}");
    });
}
