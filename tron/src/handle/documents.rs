//! What documents say: of a bundle for whoever reads it, of an answer for whoever compares it.

use bytes::Bytes;
use compare::{Comparison, Difference};
use serde::Serialize;
use wire::admin::{CallRequest, Called};
use wire::capture::was_begun;
use wire::{BundleSha, RouteId};

use super::Handle;
use crate::Rejection;
use crate::own_calls::Place;

/// What a call came to, and where that is not what it came to before.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// What it came to.
    #[serde(flatten)]
    pub called: Called,
    /// Where it differs; nothing, if there was nothing to compare with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differences: Option<Vec<Difference>>,
}

impl Handle {
    /// The document of a bundle, as JSON.
    ///
    /// # Errors
    /// When there is no such bundle.
    pub async fn bundle_document(&self, sha: &BundleSha) -> Result<Bytes, Rejection> {
        let document = self.shared.documents.of(&self.shared.bundles, sha).await?;
        Ok(document.json().to_string().into())
    }

    /// Makes a call as [`Handle::call`] does. The answer is compared with the one that a replay expects, as the
    /// document of its bundle describes it.
    ///
    /// # Errors
    /// As with a call, when it is not said which bundle is to run, and when none had to do with the answer from before.
    pub async fn call_compared(
        &self,
        place: &mut Place,
        id: &RouteId,
        mut request: CallRequest,
    ) -> Result<Compared, Rejection> {
        // It is for us: a runner that is told of it answers nobody.
        let Some(expected) = request.replay.as_mut().and_then(|replay| replay.expected.take()) else {
            return Ok(Compared { called: self.call(place, id, request).await?, differences: None });
        };
        let drawn = request.replay.as_ref().and_then(|replay| replay.drawn.as_ref());
        if drawn.is_some_and(|drawn| !was_begun(drawn, expected.status)) {
            return Err(Rejection::Conflict("no Func ran when the call was captured".to_owned()));
        }
        let Some(sha) = request.bundle.clone() else {
            return Err(Rejection::Malformed("an answer is only compared with that of a bundle".to_owned()));
        };
        let redacted = std::mem::take(&mut request.redacted);
        let (method, path) = (request.method.to_ascii_uppercase(), request.path.clone());
        let called = self.call(place, id, request).await?;
        let document = self.shared.documents.of(&self.shared.bundles, &sha).await?;
        let state = self.shared.log.current().await?;
        let base_path =
            state.routes.iter().find(|route| route.id == *id).map(|route| route.base_path.as_str());
        let below = path.strip_prefix(base_path.unwrap_or_default().trim_end_matches('/')).unwrap_or(&path);
        let comparison = Comparison::of_request(&document, &method, below).redacted(&redacted);
        let differences = comparison.differences(&expected, &called.answer);
        Ok(Compared { called, differences: Some(differences) })
    }
}
