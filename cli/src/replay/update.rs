//! `Update`: writes new answers into a file of captured calls.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use tempfile::NamedTempFile;
use wire::capture::{CaptureEntry, CaptureHeader, REDACTED};
use wire::{Answer, Body, encode_line};

use super::file::Line;
use super::target::{Played, Target};

/// Writes a file anew, beside the one that is there until it is whole.
pub(crate) struct Update {
    path: PathBuf,
    draft: BufWriter<NamedTempFile>,
    /// Whether it keeps what is secret, as it was captured.
    secrets: bool,
}

impl Update {
    pub(crate) fn begin(path: &Path, header: &CaptureHeader) -> Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let draft = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")));
        let draft = draft.with_context(|| format!("write beside {}", path.display()))?;
        let (path, draft) = (path.to_owned(), BufWriter::new(draft));
        let mut update = Self { path, draft, secrets: header.capture.secrets };
        update.draft.write_all(&encode_line(header)?)?;
        Ok(update)
    }

    /// Writes a call: with what it came to at the target, or as it was.
    pub(crate) fn write(&mut self, line: &Line, played: Option<&Played>, target: &Target) -> Result<()> {
        let Some(played) = played else { return Ok(self.draft.write_all(&line.text)?) };
        let mut renewed = renewed(&line.entry, played);
        if !self.secrets {
            target.redact(&mut renewed)?;
            take_out_again(&line.entry, &mut renewed);
        }
        Ok(self.draft.write_all(&encode_line(&renewed)?)?)
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

/// The call with what it came to this time.
fn renewed(entry: &CaptureEntry, played: &Played) -> CaptureEntry {
    let mut renewed = entry.clone();
    let Answer { bundle, status, headers, body, .. } = played.answer.clone();
    renewed.answer = Answer { bundle, status, headers, body, ..renewed.answer };
    if let Some((activation, drawn)) = &played.ran {
        let (id, replay_of) = (renewed.activation.id, None);
        renewed.activation = wire::Activation { id, replay_of, ..activation.clone() };
        renewed.drawn = drawn.clone();
    }
    // Of what is new, it is yet to be seen where its secrets are.
    let is_kept = |place: &String| match place.split('.').next() {
        Some("answer") => false,
        Some("invoke") => true,
        _ => played.ran.is_none(),
    };
    renewed.redacted.retain(is_kept);
    renewed
}

/// Takes out of an answer what was taken out before: of a site there is no document that says what is secret.
fn take_out_again(entry: &CaptureEntry, renewed: &mut CaptureEntry) {
    let was_dropped = entry.answer.body == REDACTED.into();
    for place in &entry.redacted {
        let Some(within) = place.strip_prefix("answer.") else { continue };
        let is_whole = within == "body" && was_dropped;
        if is_whole {
            renewed.answer.body = REDACTED.into();
        }
        if (is_whole || take_out(&mut renewed.answer, within)) && !renewed.redacted.contains(place) {
            renewed.redacted.push(place.clone());
        }
    }
}

/// Takes out what is in this place; `false` if there is nothing.
fn take_out(answer: &mut Answer, place: &str) -> bool {
    if let Some(name) = place.strip_prefix("headers.") {
        let mut is_there = false;
        for (_, value) in answer.headers.iter_mut().filter(|(own, _)| own == name) {
            REDACTED.clone_into(value);
            is_there = true;
        }
        return is_there;
    }
    let (Some(pointer), Body::Inline(bytes)) = (place.strip_prefix("body/"), &answer.body) else {
        return false;
    };
    let Ok(mut value) = serde_json::from_slice::<Value>(bytes) else {
        answer.body = REDACTED.into();
        return true;
    };
    let Some(secret) = value.pointer_mut(&format!("/{pointer}")) else { return false };
    if secret != REDACTED {
        *secret = REDACTED.into();
        answer.body = value.to_string().into();
    }
    true
}
