//! Writes ZIP files that depend on nothing but their content: no times, no owners.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::DeflateEncoder;
use flate2::{Compression, Crc};

use super::entry::exceeds_ratio;
use super::record::{CENTRAL, END, LOCAL};

/// Version 2.0 of the format: deflate and directories.
const VERSION: u16 = 20;
/// Midnight of 1 January 1980, where ZIP's time begins.
const TIME: u16 = 0;
const DATE: u16 = 1 << 5 | 1;

/// A ZIP file of these files, whose names are ASCII and whose sizes are within a bundle's limits.
pub(super) fn pack(files: &[(&str, &[u8])]) -> Bytes {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let offset = u32_of(zip.len());
        let (shared, packed) = describe(name, content);
        zip.extend(LOCAL.signature);
        zip.extend(&shared);
        zip.extend(name.as_bytes());
        zip.extend(packed);

        directory.extend(CENTRAL.signature);
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&shared);
        // No comment, first disk, no attributes of either kind.
        directory.extend([0; 2 + 2 + 2 + 4]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let end = end_record(files.len(), directory.len(), zip.len());
    zip.extend(directory);
    zip.extend(end);
    Bytes::from(zip)
}

/// The fields that both headers of a file share, and its packed content.
fn describe(name: &str, content: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut crc = Crc::new();
    crc.update(content);
    let (method, packed) = compress(content);
    let mut fields = Vec::new();
    for short in [VERSION, 0, method, TIME, DATE] {
        fields.extend(short.to_le_bytes());
    }
    for long in [crc.sum(), u32_of(packed.len()), u32_of(content.len())] {
        fields.extend(long.to_le_bytes());
    }
    let extra_len = 0;
    fields.extend(u16_of(name.len()).to_le_bytes());
    fields.extend(u16::to_le_bytes(extra_len));
    (fields, packed)
}

/// Deflates, unless that gains nothing, or so much that the result would pass for a bomb.
fn compress(content: &[u8]) -> (u16, Vec<u8>) {
    let mut packed = Vec::new();
    let deflated = DeflateEncoder::new(content, Compression::default()).read_to_end(&mut packed).is_ok();
    if !deflated
        || packed.len() >= content.len()
        || exceeds_ratio(u32_of(content.len()), u32_of(packed.len()))
    {
        return (0, content.to_vec());
    }
    (8, packed)
}

fn end_record(count: usize, directory_len: usize, directory_offset: usize) -> Vec<u8> {
    let mut end = END.signature.to_vec();
    // This disk and the directory's; what that disk holds is all there is.
    end.extend([0; 2 + 2]);
    end.extend(u16_of(count).to_le_bytes());
    end.extend(u16_of(count).to_le_bytes());
    end.extend(u32_of(directory_len).to_le_bytes());
    end.extend(u32_of(directory_offset).to_le_bytes());
    let comment_len = 0;
    end.extend(u16::to_le_bytes(comment_len));
    end
}

fn u16_of(len: usize) -> u16 {
    u16::try_from(len).unwrap_or(u16::MAX)
}

fn u32_of(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
