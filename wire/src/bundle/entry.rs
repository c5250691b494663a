//! `Entry`: one file of an archive, as the central directory and its local header agree that it is.

use super::record::{self, CENTRAL, DESCRIPTOR_SIGNATURE, LOCAL, Record};
use super::{Error, RATIO_MAX};

const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Deflate's level (1, 2), a data descriptor (3), a UTF-8 name (11). Every other flag changes how the
/// data is read, encryption among them.
const FLAGS_KNOWN: u16 = 1 << 1 | 1 << 2 | FLAG_DESCRIPTOR | 1 << 11;
const FLAG_DESCRIPTOR: u16 = 1 << 3;
/// The extra field that gives some readers another name than the header's.
const EXTRA_UNICODE_PATH: u16 = 0x7075;
/// In place of a size: it is in a ZIP64 field, which no bundle is large enough to need.
const ZIP64: u32 = u32::MAX;
/// Below this a file may shrink as much as it can: it is no bomb.
const RATIO_FREE_BYTES: u32 = 64 * 1024;

/// One file.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a str,
    pub(super) is_deflated: bool,
    pub(super) crc: u32,
    pub(super) len: u32,
    packed_len: u32,
    flags: u16,
    method: u16,
    /// Where its local header begins, as the archive counts.
    pub(super) offset: u32,
}

impl<'a> Entry<'a> {
    /// Reads the central header at the front of `directory` and moves past it.
    pub(super) fn read(directory: &mut &'a [u8]) -> Result<Self, Error> {
        let header = Record::read(directory, &CENTRAL)?;
        let mut rest = header.rest;
        let name = checked_name(record::take(&mut rest, header.u16(28).into())?)?;
        let extra = record::take(&mut rest, header.u16(30).into())?;
        let _comment = record::take(&mut rest, header.u16(32).into())?;
        *directory = rest;

        let method = header.u16(10);
        let entry = Self {
            name,
            is_deflated: method == DEFLATED,
            crc: header.u32(16),
            len: header.u32(24),
            packed_len: header.u32(20),
            flags: header.u16(8),
            method,
            offset: header.u32(42),
        };
        let file_type = header.u32(38) >> 16 & 0o17_0000;
        entry.check(file_type, header.u16(34))?;
        check_extra(name, extra)?;
        Ok(entry)
    }

    fn check(&self, file_type: u32, disk: u16) -> Result<(), Error> {
        let is_directory = self.name.ends_with('/');
        let rule = if self.flags & !FLAGS_KNOWN != 0 {
            "is encrypted or has unknown flags"
        } else if ![STORED, DEFLATED].contains(&self.method) {
            "has a compression method other than stored and deflated"
        } else if [self.len, self.packed_len, self.offset].contains(&ZIP64) || disk != 0 {
            "needs ZIP64 or several disks"
        } else if ![0, 0o10_0000, 0o04_0000].contains(&file_type) {
            "is a link or a device"
        } else if is_directory && self.len != 0 {
            "is a directory with content"
        } else if !self.is_deflated && self.len != self.packed_len {
            "is stored and has two sizes"
        } else if exceeds_ratio(self.len, self.packed_len) {
            "is compressed beyond belief"
        } else {
            return Ok(());
        };
        Err(Error::Refused(format!("{:?} {rule}", self.name)))
    }

    /// The packed data of this entry in `bytes`, which begin with its local header, and the length of
    /// header, data and descriptor together.
    pub(super) fn locate<'b>(&self, bytes: &'b [u8]) -> Result<(&'b [u8], usize), Error> {
        let header = Record::read(bytes, &LOCAL)?;
        let mut rest = header.rest;
        let name = record::take(&mut rest, header.u16(26).into())?;
        let extra = record::take(&mut rest, header.u16(28).into())?;
        check_extra(self.name, extra)?;
        let data = record::take(&mut rest, self.packed_len as usize)?;

        let sums = [14, 18, 22].map(|at| header.u32(at));
        let has_descriptor = self.flags & FLAG_DESCRIPTOR != 0;
        let agrees = name == self.name.as_bytes()
            && header.u16(6) == self.flags
            && header.u16(8) == self.method
            && (sums == self.sums() || has_descriptor && sums == [0; 3]);
        if !agrees || has_descriptor && !self.take_descriptor(&mut rest) {
            return Err(Error::Refused(format!("{:?} has headers that disagree", self.name)));
        }
        Ok((data, bytes.len() - rest.len()))
    }

    /// Moves past the data descriptor, whose signature is optional; whether it says what the headers say.
    fn take_descriptor(&self, rest: &mut &[u8]) -> bool {
        let sums = self.sums().map(u32::to_le_bytes).concat();
        let signed = [&DESCRIPTOR_SIGNATURE[..], &sums].concat();
        let Some(after) = rest.strip_prefix(&signed[..]).or_else(|| rest.strip_prefix(&sums[..])) else {
            return false;
        };
        *rest = after;
        true
    }

    fn sums(&self) -> [u32; 3] {
        [self.crc, self.packed_len, self.len]
    }
}

/// Whether `len` bytes out of `packed_len` are more than text or code can give.
pub(super) fn exceeds_ratio(len: u32, packed_len: u32) -> bool {
    len > RATIO_FREE_BYTES && u64::from(len) > RATIO_MAX * u64::from(packed_len)
}

/// Refuses names that mean something else to somebody who extracts by name, though we never do.
fn checked_name(name: &[u8]) -> Result<&str, Error> {
    let refuse = |rule| Err(Error::Refused(format!("file name {:?} {rule}", String::from_utf8_lossy(name))));
    let Ok(text) = std::str::from_utf8(name) else { return refuse("is not UTF-8") };
    let path = text.strip_suffix('/').unwrap_or(text);
    if text.contains('\\') || text.chars().any(char::is_control) {
        return refuse("has a backslash or a control character");
    }
    if text.as_bytes().get(1) == Some(&b':') {
        return refuse("has a drive");
    }
    if path.split('/').any(|segment| matches!(segment, "" | "." | "..")) {
        return refuse("is not a plain relative path");
    }
    Ok(text)
}

fn check_extra(name: &str, mut extra: &[u8]) -> Result<(), Error> {
    // Some writers pad with fewer than four bytes; those cannot hold a field.
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let [id_low, id_high, len_low, len_high] = *head;
        if u16::from_le_bytes([id_low, id_high]) == EXTRA_UNICODE_PATH {
            return Err(Error::Refused(format!("{name:?} has a second name")));
        }
        extra = rest;
        record::take(&mut extra, u16::from_le_bytes([len_low, len_high]).into())?;
    }
    Ok(())
}
