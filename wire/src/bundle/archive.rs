//! `Archive`: a strict reader of ZIP files. It accepts what any two readers would see alike: one
//! directory at the end, and before it nothing but the files that it lists.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use bytes::Bytes;
use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::entry::Entry;
use super::record::{CENTRAL, END, LOCAL, Record};
use super::{ENTRIES_MAX, Error, INFLATED_BYTES_MAX, check_len};

/// How far from its end a ZIP file's end record may begin: its comment has at most 65,535 bytes.
const END_REACH: usize = u16::MAX as usize + END.len;
/// A line or a small script that makes the file executable, as PEX files have.
const LEAD_BYTES_MAX: usize = 64 * 1024;

/// The files of a ZIP file, each with its packed data.
pub(super) struct Archive<'a> {
    files: HashMap<&'a str, (Entry<'a>, &'a [u8])>,
}

impl<'a> Archive<'a> {
    /// Reads the directory and checks every header against it. Inflates nothing.
    pub(super) fn read(zip: &'a [u8]) -> Result<Self, Error> {
        let (before_end, end) = find_end(zip)?;
        let (count, directory_len, directory_offset) = (end.u16(10), end.u32(12), end.u32(16));
        if [end.u16(4), end.u16(6)] != [0, 0] || end.u16(8) != count {
            return Err(Error::Refused("it spans several disks".to_owned()));
        }
        if usize::from(count) > ENTRIES_MAX {
            return Err(Error::Refused(format!("it has more than {ENTRIES_MAX} files")));
        }
        let (body, directory) = before_end
            .len()
            .checked_sub(directory_len as usize)
            .and_then(|at| before_end.split_at_checked(at))
            .ok_or_else(|| Error::NotZip("its directory is larger than the file".to_owned()))?;
        // Offsets count from the beginning of the file or, where the lead was put before a finished ZIP
        // file, from its end.
        let shift = body
            .len()
            .checked_sub(directory_offset as usize)
            .ok_or_else(|| Error::NotZip("its directory is not where it says".to_owned()))?;

        let mut entries = read_directory(directory, count)?;
        check_names(&entries)?;
        check_total(&entries)?;
        entries.sort_by_key(|entry| entry.offset);
        let files = read_body(body, shift, entries)?;
        Ok(Self { files })
    }

    /// Whether there is a file of this name.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.files.contains_key(name)
    }

    /// The content of a file that it holds.
    pub(super) fn inflate(&self, name: &'static str, max: u64) -> Result<Bytes, Error> {
        let (entry, packed) = self.files.get(name).ok_or(Error::Missing(name))?;
        check_len(name, entry.len as usize, max)?;
        let content =
            if entry.is_deflated { inflate(entry, packed)? } else { Bytes::copy_from_slice(packed) };
        let mut crc = Crc::new();
        crc.update(&content);
        if crc.sum() != entry.crc {
            return Err(Error::NotZip(format!("{name} has a wrong checksum")));
        }
        Ok(content)
    }
}

/// The last end record, which has to reach to the end of the file, and what lies before it.
fn find_end(zip: &[u8]) -> Result<(&[u8], Record<'_>), Error> {
    let tail_at = zip.len().saturating_sub(END_REACH);
    let at = zip
        .get(tail_at..)
        .and_then(|tail| tail.windows(4).rposition(|window| window == END.signature))
        .map(|at| tail_at + at)
        .ok_or_else(|| Error::NotZip("no end record".to_owned()))?;
    let (before, from_end) = zip.split_at(at);
    let end = Record::read(from_end, &END)?;
    if end.rest.len() != usize::from(end.u16(20)) {
        return Err(Error::Refused("it has data after its end".to_owned()));
    }
    Ok((before, end))
}

fn read_directory(mut directory: &[u8], count: u16) -> Result<Vec<Entry<'_>>, Error> {
    let entries = (0..count).map(|_| Entry::read(&mut directory)).collect::<Result<Vec<_>, _>>()?;
    if !directory.is_empty() {
        return Err(Error::Refused("its directory holds more than it says".to_owned()));
    }
    Ok(entries)
}

/// Refuses names that some file system would take for one and the same.
fn check_names(entries: &[Entry<'_>]) -> Result<(), Error> {
    let mut seen = HashSet::with_capacity(entries.len());
    match entries.iter().find(|entry| !seen.insert(entry.name.trim_end_matches('/').to_lowercase())) {
        Some(twice) => Err(Error::Refused(format!("it has {:?} twice", twice.name))),
        None => Ok(()),
    }
}

fn check_total(entries: &[Entry<'_>]) -> Result<(), Error> {
    let total: u64 = entries.iter().map(|entry| u64::from(entry.len)).sum();
    if total > INFLATED_BYTES_MAX {
        return Err(Error::TooLarge { what: "inflated bundle".to_owned(), max: INFLATED_BYTES_MAX });
    }
    Ok(())
}

/// Reads the local headers and data, which have to follow each other without gap or overlap.
fn read_body<'a>(
    body: &'a [u8],
    shift: usize,
    entries: Vec<Entry<'a>>,
) -> Result<HashMap<&'a str, (Entry<'a>, &'a [u8])>, Error> {
    let first = entries.first().map_or(body.len(), |entry| entry.offset as usize + shift);
    check_lead(body.get(..first).unwrap_or(body), shift)?;
    let mut files = HashMap::with_capacity(entries.len());
    let mut at = first;
    for entry in entries {
        if entry.offset as usize + shift != at {
            return Err(Error::Refused(format!("{:?} overlaps, or follows hidden data", entry.name)));
        }
        let (data, len) = entry.locate(body.get(at..).unwrap_or_default())?;
        at += len;
        files.insert(entry.name, (entry, data));
    }
    if at != body.len() {
        return Err(Error::Refused("it has hidden data before its directory".to_owned()));
    }
    Ok(files)
}

fn check_lead(lead: &[u8], shift: usize) -> Result<(), Error> {
    if lead.is_empty() && shift == 0 {
        return Ok(());
    }
    let signatures = [LOCAL.signature, CENTRAL.signature, END.signature];
    let is_script = lead.starts_with(b"#!") && lead.ends_with(b"\n") && lead.len() <= LEAD_BYTES_MAX;
    let is_counted = shift == 0 || shift == lead.len();
    if is_script && is_counted && !lead.windows(4).any(|window| signatures.iter().any(|sig| sig == window)) {
        return Ok(());
    }
    Err(Error::Refused("it has data before its beginning".to_owned()))
}

fn inflate(entry: &Entry<'_>, packed: &[u8]) -> Result<Bytes, Error> {
    let mut content = Vec::with_capacity(entry.len as usize);
    let mut decoder = DeflateDecoder::new(packed);
    // One byte more than was said is enough to know that it lied.
    let result = decoder.by_ref().take(u64::from(entry.len) + 1).read_to_end(&mut content);
    if let Err(error) = result {
        return Err(Error::NotZip(format!("{}: {error}", entry.name)));
    }
    if content.len() != entry.len as usize || !decoder.into_inner().is_empty() {
        return Err(Error::Refused(format!("{:?} does not have the size it says", entry.name)));
    }
    Ok(Bytes::from(content))
}
