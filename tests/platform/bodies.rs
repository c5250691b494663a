//! Large bodies go through the whole platform and back, and nobody holds them.

use std::io::{BufRead, BufReader, Read, Write};

use crate::harness::{Platform, test_func};

const PIECE_BYTES: usize = 64 << 10;

/// A piece of a body, different from all its others.
fn piece(number: u64) -> Vec<u8> {
    (0..PIECE_BYTES as u64 / 8)
        .flat_map(|at| (number << 32 | at).wrapping_mul(0x9e37_79b9).to_le_bytes())
        .collect()
}

/// Sends a body of this many pieces to the Func that echoes, and compares what comes back as it comes.
pub(crate) fn echo(platform: &Platform, pieces: u64) {
    let mut stream = platform.connect();
    let length = pieces * PIECE_BYTES as u64;
    write!(
        stream,
        "POST /stream/echo HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
         content-type: application/octet-stream\r\ncontent-length: {length}\r\n\r\n"
    )
    .unwrap();
    for number in 0..pieces {
        stream.write_all(&piece(number)).unwrap();
    }
    let mut reply = BufReader::new(stream);
    let head: Vec<String> =
        reply.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
    assert!(head[0].starts_with("HTTP/1.1 200 "), "{head:?}");
    assert!(head.contains(&format!("content-length: {length}")), "{head:?}");
    let mut got = vec![0; PIECE_BYTES];
    for number in 0..pieces {
        reply.read_exact(&mut got).unwrap();
        assert!(got == piece(number), "piece {number} differs");
    }
    assert_eq!(reply.read(&mut got).unwrap(), 0);
}

#[test]
fn a_large_body_comes_back_byte_for_byte() {
    let platform = Platform::serving(&[&test_func("stream")]);
    echo(&platform, 320);
    echo(&platform, 5);
}

/// The most memory that a process has had, in bytes.
#[cfg(target_os = "linux")]
fn peak_memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim_end_matches("kB").trim().parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[test]
fn a_body_passes_through_in_less_memory_than_it_has() {
    let platform = Platform::serving(&[&test_func("stream")]);
    echo(&platform, 80);
    let before = platform.processes().into_iter().map(peak_memory).collect::<Vec<_>>();
    echo(&platform, 1024);
    for (process, before) in platform.processes().into_iter().zip(before) {
        let grown = peak_memory(process) - before;
        assert!(grown < 32 << 20, "64 MiB went through, and process {process} grew by {grown} bytes");
    }
}
