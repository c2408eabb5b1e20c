//! Finds the process at the other end of a connection on this machine (Linux).

use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io;
use std::net::SocketAddr;

/// Kills the process that has opened the connection from `peer` to `own`.
pub(super) fn kill(peer: SocketAddr, own: SocketAddr) -> io::Result<()> {
    let gone = || io::Error::other("the caller has gone");
    let socket = format!("socket:[{}]", inode(peer, own)?.ok_or_else(gone)?);
    let process = holder(&socket)?.and_then(Pid::from_raw).ok_or_else(gone)?;
    Ok(kill_process(process, Signal::KILL)?)
}

/// The inode of the socket.
fn inode(local: SocketAddr, remote: SocketAddr) -> io::Result<Option<String>> {
    let ends = [local, remote].map(|end| format!(":{:04X}", end.port()));
    let table = fs::read_to_string("/proc/net/tcp")?;
    let lines = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    // proc(5): local address 1, remote address 2, inode 9.
    let mut found = lines
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&ends[0]) && fields[2].ends_with(&ends[1]));
    Ok(found.next().map(|fields| fields[9].to_owned()))
}

fn holder(socket: &str) -> io::Result<Option<i32>> {
    for process in fs::read_dir("/proc")? {
        let process = process?;
        let Some(id) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // The process has ended, or belongs to another user.
        let Ok(files) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let mut links = files.flatten().filter_map(|file| fs::read_link(file.path()).ok());
        if links.any(|link| link.as_os_str() == socket) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}
