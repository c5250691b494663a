//! The process at the other end of a loopback connection, as the kernel knows it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

/// Which of these processes holds the socket that is bound to `peer` and connected to `own`.
pub(crate) fn holder(peer: SocketAddr, own: SocketAddr, processes: &[u32]) -> Option<u32> {
    let inode = inode(&fs::read_to_string("/proc/net/tcp").ok()?, peer, own)?;
    let link = format!("socket:[{inode}]");
    processes.iter().copied().find(|pid| holds(*pid, &link))
}

/// The inode of the socket with these two ends.
fn inode(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let mut columns = line.split_whitespace().skip(1);
        let ends = (address(columns.next()?)?, address(columns.next()?)?);
        (ends == (local, remote)).then(|| columns.nth(6)?.parse().ok())?
    })
}

/// An address as the kernel writes it: the IPv4 address as a number of the machine, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let ip = Ipv4Addr::from(u32::from_str_radix(ip, 16).ok()?.to_ne_bytes());
    Some(SocketAddrV4::new(ip, u16::from_str_radix(port, 16).ok()?).into())
}

fn holds(pid: u32, link: &str) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    files.flatten().any(|file| fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link))
}
