//! `Places` gathers where in the bytes of a body its secrets stand, so that all others can stay as they are.

use std::ops::Range;

use super::{SecretPlace, Secrets};

/// Bytes of what names the places of one body. Who sends more sends no few secrets, and to name each would take more
/// room than the body does.
const BYTES_MAX: usize = 64 << 10;
/// What a place counts for beside its pointer.
const PLACE_BYTES: usize = 16;

/// Where secrets stand, in their order.
#[derive(Debug, Default)]
pub(super) struct Places {
    found: Vec<SecretPlace>,
    bytes: usize,
}

/// There are more than anybody wants to have named.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooMany;

impl Places {
    pub(super) fn add(
        &mut self,
        bytes: Range<usize>,
        texts: Vec<String>,
        pointer: &str,
    ) -> Result<(), TooMany> {
        self.bytes += pointer.len() + PLACE_BYTES;
        if self.bytes > BYTES_MAX {
            return Err(TooMany);
        }
        self.found.push(SecretPlace { bytes, texts, pointer: pointer.to_owned() });
        Ok(())
    }

    /// As values of JSON.
    pub(super) fn values(self) -> Secrets {
        Secrets::Values(self.found)
    }

    /// As fields of a form or query.
    pub(super) fn fields(self) -> Secrets {
        Secrets::Fields(self.found)
    }
}
