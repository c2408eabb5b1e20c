//! No child is left, however it ends. The only test of its program, which sees all children of its process.

use picture_process::{Limits, PictureProcess};
use std::path::Path;
use std::time::Duration;

/// The parent of a process, from `/proc/<pid>/stat`: the second field after the name, which is in parentheses.
fn parent(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

fn children() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok())
        .filter(|stat| parent(stat) == Some(std::process::id()))
        .collect()
}

#[tokio::test]
async fn leaves_no_child_behind() {
    let process =
        PictureProcess::of(Path::new(env!("CARGO_BIN_EXE_misbehaving-child"))).with_limits(Limits {
            memory: 256 * 1024 * 1024,
            cpu_seconds: 1,
            wall_time: Duration::from_millis(500),
        });
    for file in [
        &include_bytes!("../../../samples/cat.jpg")[..],
        b"waits forever",
        b"allocates without limit",
        b"answers without end",
        b"panics",
    ] {
        let _ = process.rendition(file.to_vec()).await;
        assert_eq!(
            children(),
            [""; 0],
            "{}",
            String::from_utf8_lossy(&file[..file.len().min(40)])
        );
    }
}
