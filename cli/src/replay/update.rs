//! `Update`: writes new answers into a file of captured calls.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::NamedTempFile;
use wire::capture::{CaptureEntry, CaptureHeader, REDACTED};
use wire::{Answer, Body, encode_line};

use super::file::Line;
use super::target::Played;

/// Writes a file anew, beside the one that is there until it is whole.
pub(crate) struct Update {
    path: PathBuf,
    draft: BufWriter<NamedTempFile>,
}

impl Update {
    pub(crate) fn begin(path: &Path, header: &CaptureHeader) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let draft = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
        let draft = draft.with_context(|| format!("write beside {}", path.display()))?;
        let mut update = Self { path: path.to_owned(), draft: BufWriter::new(draft) };
        update.draft.write_all(&encode_line(header)?)?;
        Ok(update)
    }

    /// Writes a call: with its new answer, or as it was.
    pub(crate) fn write(&mut self, line: &Line, played: Option<&Played>) -> Result<()> {
        match played {
            None => self.draft.write_all(&line.text)?,
            Some(played) => self.draft.write_all(&encode_line(&renewed(&line.entry, played))?)?,
        }
        Ok(())
    }

    /// Puts the file in place of the one before.
    pub(crate) fn finish(self) -> Result<()> {
        let draft = self.draft.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        draft.as_file().sync_all()?;
        let permissions = std::fs::metadata(&self.path)?.permissions();
        draft.as_file().set_permissions(permissions)?;
        draft.persist(&self.path).with_context(|| format!("write {}", self.path.display()))?;
        Ok(())
    }
}

/// The call with what it came to this time. What was taken out before is taken out again.
fn renewed(entry: &CaptureEntry, played: &Played) -> CaptureEntry {
    let mut renewed = entry.clone();
    let Answer { bundle, status, headers, body, .. } = played.answer.clone();
    renewed.answer = Answer { bundle, status, headers, body, ..renewed.answer };
    for place in &entry.redacted {
        if let Some(place) = place.strip_prefix("answer.") {
            take_out(&mut renewed.answer, place);
        }
    }
    if let Some((activation, drawn)) = &played.ran {
        let (id, replay_of) = (renewed.activation.id, None);
        renewed.activation = wire::Activation { id, replay_of, ..activation.clone() };
        renewed.drawn = drawn.clone();
    }
    renewed
}

fn take_out(answer: &mut Answer, place: &str) {
    if let Some(name) = place.strip_prefix("headers.") {
        let named = answer.headers.iter_mut().filter(|(own, _)| own == name);
        named.for_each(|(_, value)| REDACTED.clone_into(value));
        return;
    }
    let (Some(pointer), Body::Inline(bytes)) = (place.strip_prefix("body"), &answer.body) else { return };
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        answer.body = REDACTED.into();
        return;
    };
    if let Some(secret) = value.pointer_mut(pointer) {
        *secret = REDACTED.into();
        answer.body = value.to_string().into();
    }
}
