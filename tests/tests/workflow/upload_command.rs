//! `cargo xtask upload` on a local stack: a folder with all kinds of files, a run that is killed, and runs with nothing to do.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use tests::wait::until;
use tests::xtask::xtask_command;
use tests::{Stack, pictures, run};
use uuid::Uuid;

/// Files in the folder.
const FILES: usize = 300;
/// Pictures with different contents. Enough that runs that are ended in the middle on a busy machine have some left.
const PICTURES: usize = 80;
/// Kinds of other files.
const KINDS: usize = 7;
/// Files after which the first run is killed, and the second one is interrupted.
const ENDED_AFTER: usize = 3;

/// The folder of a new user.
struct Library {
    folder: TempDir,
    email: String,
    password: String,
    /// What the command remembers.
    state: PathBuf,
}

impl Library {
    async fn new(stack: &Stack) -> Self {
        let email = format!("{}@example.com", Uuid::now_v7().simple());
        let password = Uuid::new_v4().to_string();
        stack.user_pool.create_user(&email, &password).await;
        let folder = tempfile::tempdir().expect("a folder");
        fill(folder.path());
        Self {
            folder,
            state: stack.folder.join("upload").join(format!("{email}.jsonl")),
            email,
            password,
        }
    }

    fn command(&self, stack: &Stack, options: &[&str]) -> Command {
        let folder = self.folder.path().to_str().expect("UTF-8");
        let arguments = [&["upload", folder, "--owner", &self.email], options].concat();
        let mut command = xtask_command(&arguments, &stack.folder);
        command.env("ILG_PASSWORD", &self.password);
        // Not the time zone of the stack.
        command.env("TZ", "<+0545>-05:45");
        command
    }

    /// Runs the command. Returns whether it succeeded, what it printed, and how many files had each outcome.
    fn upload(&self, stack: &Stack, options: &[&str]) -> (bool, String, BTreeMap<String, usize>) {
        let reports = tempfile::tempdir().expect("a folder");
        let report = reports.path().join("report.jsonl");
        let report_option = ["--report", report.to_str().expect("UTF-8")];
        let output = self
            .command(stack, &[options, &report_option].concat())
            .output()
            .expect("xtask");
        let printed =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let mut outcomes = BTreeMap::new();
        for line in fs::read_to_string(&report).unwrap_or_default().lines() {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            let outcome = line["outcome"].as_str().expect("an outcome").to_owned();
            *outcomes.entry(outcome).or_default() += 1;
        }
        (output.status.success(), printed, outcomes)
    }

    /// Starts the command and waits until it has uploaded some files.
    async fn start(&self, stack: &Stack) -> Child {
        let before = self.remembered();
        let started = self
            .command(stack, &["--parallel", "1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("xtask");
        until("some files are uploaded", async || {
            (self.remembered() >= before + ENDED_AFTER).then_some(())
        })
        .await;
        started
    }

    /// Lines of the state file.
    fn remembered(&self) -> usize {
        fs::read_to_string(&self.state)
            .unwrap_or_default()
            .lines()
            .count()
    }
}

/// Writes pictures with different contents, copies of them, and files that are not uploaded.
fn fill(folder: &Path) {
    let picture = |number: usize| pictures::png(100 + u32::try_from(number).expect("small"), 90);
    for inner in ["originals/ä", "others"] {
        fs::create_dir_all(folder.join(inner)).expect("a folder");
    }
    // The command uploads in the order of paths.
    for number in 0..PICTURES {
        fs::write(folder.join(format!("originals/ä/{number}")), picture(number)).expect("written");
    }
    for number in PICTURES..FILES {
        let (name, bytes) = match number % KINDS {
            0 => ("copy.jpg", picture(number % PICTURES)),
            1 => ("document.jpg", b"%PDF-1.7".to_vec()),
            2 => ("sidecar.xmp", b"<x:xmpmeta/>".to_vec()),
            3 => ("empty.png", vec![]),
            4 => ("tiny.png", pictures::png(20, 20)),
            5 => ("video.avi", b"RIFF\x20\0\0\0AVI LIST\x10\0\0\0hdrl".to_vec()),
            _ => ("hidden.jpg", picture(number)),
        };
        let dot = if name.starts_with("hidden") { "." } else { "" };
        fs::write(folder.join(format!("others/{dot}{number} {name}")), bytes).expect("written");
    }
}

/// Pictures in the folder, with copies.
fn pictures_and_copies() -> usize {
    PICTURES + (PICTURES..FILES).filter(|number| number % KINDS == 0).count()
}

#[test]
fn an_upload_that_was_killed_and_interrupted_continues_and_uploads_no_picture_twice() {
    run(async |stack| {
        let library = Library::new(stack).await;
        let tokens = stack
            .user_pool
            .sign_in(&stack.user_pool.client_id, &library.email, &library.password)
            .await;
        let owner = tests::users::subject(&tokens.access);

        let (succeeded, printed, outcomes) = library.upload(stack, &["--dry-run"]);
        assert!(succeeded, "{printed}");
        assert_eq!(outcomes["new"], pictures_and_copies(), "{printed}");
        assert!(
            printed.contains("costs about $") && printed.contains("images a day"),
            "{printed}"
        );
        assert!(stack.objects_of(&owner).await.is_empty());

        let mut first = library.start(stack).await;
        first.kill().expect("killed");
        first.wait().expect("ended");
        assert!(library.remembered() < PICTURES, "killed in the middle");

        let second = library.start(stack).await;
        kill_process(Pid::from_child(&second), Signal::INT).expect("interrupted");
        let second = second.wait_with_output().expect("ended");
        assert_eq!(second.status.code(), Some(130), "as Ctrl-C ends other programs");
        let printed = String::from_utf8_lossy(&second.stdout).into_owned();
        assert!(
            printed.contains("Not reached") && printed.contains("Ended early: interrupted"),
            "{printed}"
        );
        assert!(library.remembered() < PICTURES, "interrupted in the middle");

        let (succeeded, printed, outcomes) = library.upload(stack, &[]);
        assert!(succeeded, "{printed}");
        assert_eq!(outcomes.values().sum::<usize>(), FILES, "{printed}");
        let there = outcomes["uploaded"] + outcomes["already there"];
        assert_eq!(there, pictures_and_copies(), "{printed}");
        assert_eq!(library.remembered(), pictures_and_copies());
        let objects: BTreeSet<_> = stack.objects_of(&owner).await.into_iter().collect();
        assert_eq!(objects.len(), PICTURES, "{printed}");

        // Nothing to do, whether the state file is used or not.
        for options in [&[][..], &["--check-again"]] {
            let (succeeded, printed, outcomes) = library.upload(stack, options);
            assert!(succeeded, "{printed}");
            assert_eq!(outcomes.get("uploaded"), None, "{printed}");
            assert_eq!(outcomes["already there"], pictures_and_copies(), "{printed}");
        }
        assert_eq!(library.remembered(), pictures_and_copies());
        assert_eq!(stack.objects_of(&owner).await.len(), PICTURES);
        for key in &objects {
            let settled = stack.settled(key).await;
            assert_eq!(
                settled.record.utc_offset.as_deref(),
                Some("+05:45"),
                "days are those of the uploader"
            );
        }
    });
}

#[test]
fn a_wrong_password_is_reported() {
    run(async |stack| {
        let mut library = Library::new(stack).await;
        library.password = "another password".to_owned();
        let (succeeded, printed, _) = library.upload(stack, &[]);
        assert!(
            !succeeded && printed.contains("the password is wrong"),
            "{printed}"
        );
        assert!(!printed.contains(&library.password), "{printed}");
    });
}
