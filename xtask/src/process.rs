//! Programs that run beside this one: started in a process group of their own, recognized later, and stopped with all
//! that they started.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use std::fs;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

/// How long a program may take to end when asked to. The emulator writes its state in this time, and what is not written
/// is lost: with 40,000 images that took 33 s on two cores.
pub(crate) const GRACE: Duration = Duration::from_secs(300);
/// How long the rest of a stopped program's process group may take to end before SIGKILL.
const LEFTOVERS_GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(20);

/// Starts a program in its own process group: Ctrl-C in the terminal reaches only this command, which then stops its
/// programs in order.
pub(crate) fn spawn(command: &mut Command) -> std::io::Result<Child> {
    command.process_group(0).spawn()
}

/// The exit code for a command that only runs a program.
pub(crate) fn exit_code(status: ExitStatus) -> ExitCode {
    if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// What a Python script prints.
///
/// # Errors
/// It fails. The error is the last line that it has printed, which is the error of a traceback.
pub(crate) fn printed(script: &mut Command) -> Result<String> {
    let answer = script.output().context("cannot run Python")?;
    if !answer.status.success() {
        let printed = String::from_utf8_lossy(&answer.stderr);
        let last = printed.trim().lines().last().unwrap_or_default();
        bail!("{}", last.strip_prefix("error: ").unwrap_or(last));
    }
    String::from_utf8(answer.stdout).context("the script printed something other than UTF-8")
}

/// Identifies a process, even if a later one gets the same process id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ProcessId {
    pid: i32,
    /// Its start time, in clock ticks since the boot that `boot` identifies.
    started: u64,
    boot: String,
}

impl ProcessId {
    /// The process that currently has this id.
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let pid = i32::try_from(pid).context("a process id out of range")?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("process {pid} is gone"))?;
        let stat = Stat::parse(&stat).with_context(|| format!("/proc/{pid}/stat has an unknown format"))?;
        Ok(Self {
            pid,
            started: stat.started,
            boot: boot_id()?,
        })
    }

    /// Whether this process still runs.
    pub(crate) fn is_running(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok();
        let stat = stat.as_deref().and_then(Stat::parse);
        stat.is_some_and(|stat| stat.state != ZOMBIE && stat.started == self.started)
            && boot_id().is_ok_and(|boot| boot == self.boot)
    }

    /// Sends SIGTERM to the process group, waits, and then stops what is left of the group. Sends SIGKILL only to
    /// processes that do not end in time. Returns whether the process ended in time.
    pub(crate) fn stop_group(&self) -> bool {
        // The group has the id of its leader. After the leader has ended, another process can get this id: signal the
        // group only while the leader runs.
        if !self.is_running() {
            return true;
        }
        signal_group(self.pid, Signal::TERM);
        let ended = wait_until(GRACE, || !self.is_running());
        finish_group(self.pid);
        ended
    }

    /// Sends SIGTERM to this process only, and waits until it ends.
    pub(crate) fn stop(&self, grace: Duration) -> bool {
        if self.is_running()
            && let Some(pid) = Pid::from_raw(self.pid)
        {
            // Fails only if the process has just ended.
            let _ = rustix::process::kill_process(pid, Signal::TERM);
        }
        wait_until(grace, || !self.is_running())
    }
}

/// Stops a child process and its group. Returns whether it ended in time.
pub(crate) fn stop_child(child: &mut Child) -> bool {
    let Ok(pid) = i32::try_from(child.id()) else {
        return false;
    };
    // The child has not been waited for, so no other process can have its id.
    if let Ok(Some(_)) = child.try_wait() {
        return true;
    }
    signal_group(pid, Signal::TERM);
    let ended = wait_until(GRACE, || !matches!(child.try_wait(), Ok(None)));
    finish_group(pid);
    if !ended {
        // Waits for the killed child, so that it does not stay a zombie.
        let _ = child.wait();
    }
    ended
}

fn finish_group(pid: i32) {
    signal_group(pid, Signal::TERM);
    if !wait_until(LEFTOVERS_GRACE, || !group_runs(pid)) {
        signal_group(pid, Signal::KILL);
    }
}

fn signal_group(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // Fails only if the group is empty.
        let _ = kill_process_group(pid, signal);
    }
}

/// Whether a process of the group still runs. Zombies don't count: some init processes reap them late.
fn group_runs(group: i32) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else {
        return false;
    };
    processes
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        .filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok())
        .filter_map(|stat| Stat::parse(&stat))
        .any(|stat| stat.group == group && stat.state != ZOMBIE)
}

fn wait_until(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if done() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        thread::sleep(POLL);
    }
}

fn boot_id() -> Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").context("cannot read the boot id")?;
    Ok(id.trim().to_owned())
}

/// The state of a process that has ended and that its parent has not waited for.
const ZOMBIE: char = 'Z';

/// What `/proc/<pid>/stat` says about a process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    group: i32,
    started: u64,
}

impl Stat {
    /// Fields as numbered by proc(5): state 3, group 5, start time 22. The name, field 2, may hold spaces and
    /// parentheses.
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            group: fields.get(2)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Stdio;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "4242 (a b) c) S 1 4240 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3";
        assert_eq!(
            Stat::parse(stat),
            Some(Stat {
                state: 'S',
                group: 4240,
                started: 987_654
            })
        );
        assert_eq!(Stat::parse("no stat at all"), None);
    }

    #[test]
    fn detects_another_process_with_the_same_id() {
        let ours = ProcessId::of(std::process::id()).unwrap();
        assert!(ours.is_running());
        assert!(
            !ProcessId {
                started: ours.started + 1,
                ..ours.clone()
            }
            .is_running()
        );
        assert!(
            !ProcessId {
                boot: "another boot".to_owned(),
                ..ours
            }
            .is_running()
        );
    }

    #[test]
    fn stops_the_whole_process_group() {
        let mut shell = Command::new("sh");
        shell
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped());
        let mut child = spawn(&mut shell).unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(
            &mut std::io::BufReader::new(child.stdout.take().unwrap()),
            &mut line,
        )
        .unwrap();
        let grandchild = ProcessId::of(line.trim().parse().unwrap()).unwrap();
        assert!(grandchild.is_running());
        assert!(stop_child(&mut child));
        assert!(wait_until(Duration::from_secs(300), || !grandchild.is_running()));
    }
}
