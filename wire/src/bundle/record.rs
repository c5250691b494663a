//! `Record`: a fixed run of little-endian fields in a ZIP file, and the layout of those that we use.

use super::Error;

pub(super) const LOCAL: Layout = Layout { signature: *b"PK\x03\x04", len: 30, name: "local header" };
pub(super) const CENTRAL: Layout = Layout { signature: *b"PK\x01\x02", len: 46, name: "central header" };
pub(super) const END: Layout = Layout { signature: *b"PK\x05\x06", len: 22, name: "end record" };
pub(super) const DESCRIPTOR_SIGNATURE: [u8; 4] = *b"PK\x07\x08";

/// What a record begins with and how long it is.
pub(super) struct Layout {
    pub(super) signature: [u8; 4],
    pub(super) len: usize,
    name: &'static str,
}

/// A record, with what follows it.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    pub(super) rest: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads the record at the beginning of `bytes`.
    pub(super) fn read(bytes: &'a [u8], layout: &Layout) -> Result<Self, Error> {
        match bytes.split_at_checked(layout.len) {
            Some((record, rest)) if record.starts_with(&layout.signature) => Ok(Self { bytes: record, rest }),
            _ => Err(Error::NotZip(format!("no {} where one is expected", layout.name))),
        }
    }

    pub(super) fn u16(self, at: usize) -> u16 {
        u16::from_le_bytes(self.field(at))
    }

    pub(super) fn u32(self, at: usize) -> u32 {
        u32::from_le_bytes(self.field(at))
    }

    /// The field at a fixed place of the layout, which `read` made sure is there.
    fn field<const N: usize>(self, at: usize) -> [u8; N] {
        self.bytes.get(at..).and_then(|bytes| bytes.first_chunk()).copied().unwrap_or([0; N])
    }
}

/// Splits `len` bytes off the front.
pub(super) fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Result<&'a [u8], Error> {
    let (taken, rest) =
        bytes.split_at_checked(len).ok_or_else(|| Error::NotZip("it ends too early".to_owned()))?;
    *bytes = rest;
    Ok(taken)
}
