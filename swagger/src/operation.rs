//! `Operation` is one method on one path of the document, with what it accepts and answers.

use std::{borrow::Cow, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Checked, Fault, Location, Payload, Refusal, Request,
    body::Body,
    parameter::{Pairs, Parameter},
    redacted::Redacted,
    response::{self, Response},
    retries::Retries,
    secrets::Secrets,
    security::Security,
    style::Encoding,
};

/// One documented operation.
#[derive(Debug)]
pub struct Operation {
    pub(crate) id: String,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) summary: Option<String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: Option<Retries>,
    pub(crate) idempotent: bool,
    pub(crate) security: Arc<Security>,
    pub(crate) parameters: Parameters,
    pub(crate) body: Option<Body>,
    pub(crate) responses: Vec<Response>,
}

/// The parameters of an operation by where they stand.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    /// In the order of the path template.
    pub(crate) path: Vec<Parameter>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) header: Vec<Parameter>,
    pub(crate) cookie: Vec<Parameter>,
}

impl Operation {
    /// The `operationId`, unique in the document.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        self.method
    }

    /// The path template, as documented.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The summary, when there is one.
    pub fn summary(&self) -> Option<&str> {
        self.summary.as_deref()
    }

    /// The time allowed for one call (`x-funcatron-timeout`), when the document sets it.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// How often a call that failed is begun anew when nobody waits for it (`x-funcatron-retries`), when
    /// the document says so.
    pub fn retries(&self) -> Option<Retries> {
        self.retries
    }

    /// Whether running it twice does no harm: by its method, or by `x-funcatron-idempotent`.
    pub fn idempotent(&self) -> bool {
        self.idempotent
    }

    /// Checks an answer to a request of this method against the documented responses. The method may
    /// differ from the operation's own: a `HEAD` may leave out the body that its `GET` documents.
    ///
    /// # Errors
    /// Every mistake found; an undocumented status is not one.
    pub fn check_response(
        &self,
        method: &str,
        status: u16,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<(), Vec<Fault>> {
        let Some(response) = response::pick(&self.responses, status) else { return Ok(()) };
        let faults = response.check(status, method == "HEAD", headers, body);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Whether an answer is documented, as one whose bytes no schema describes: such a body may be passed
    /// on unread, whatever its length. One that the document does not know has no such leave.
    pub fn answers_unread(&self, status: u16, headers: &[(String, String)]) -> bool {
        response::pick(&self.responses, status).is_some_and(|response| response.is_unread(headers))
    }

    /// Checks all but the body of an answer that [`Operation::answers_unread`].
    ///
    /// # Errors
    /// Every mistake found.
    pub fn check_response_head(&self, status: u16, headers: &[(String, String)]) -> Result<(), Vec<Fault>> {
        let Some(response) = response::pick(&self.responses, status) else { return Ok(()) };
        let faults = response.check_head(headers);
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }

    /// Whether the document marks this header of a request as secret.
    pub fn is_secret_header(&self, name: &str) -> bool {
        let is_it = |header: &Parameter| header.name.eq_ignore_ascii_case(name);
        self.parameters.header.iter().any(|header| is_it(header) && header.is_secret())
    }

    /// Whether the document marks this member of a query as secret.
    pub(crate) fn is_secret_query(&self, name: &str) -> bool {
        self.parameters.query.iter().any(|query| query.is_secret() && query.is_found_under(name))
    }

    /// The template of each segment of its path that holds a secret parameter, from the first on.
    pub fn secret_segments(&self) -> impl Iterator<Item = Option<&str>> + '_ {
        let secret = || self.parameters.path.iter().filter(|one| one.is_secret());
        let segments = self.path.strip_prefix('/').unwrap_or(&self.path).split('/');
        segments.map(move |segment| {
            secret().any(|one| segment.contains(&format!("{{{}}}", one.name))).then_some(segment)
        })
    }

    /// Where the secrets are in the body of a request, of which perhaps no byte is there.
    pub fn request_secrets(&self, content_type: &str, body: Option<&[u8]>) -> Secrets {
        self.body.as_ref().map_or(Secrets::None, |documented| documented.secrets(content_type, body))
    }

    /// Whether the document marks this header of such an answer as secret.
    pub fn is_secret_response_header(&self, status: u16, name: &str) -> bool {
        let is_it = |header: &Parameter| header.name.eq_ignore_ascii_case(name) && header.is_secret();
        response::pick(&self.responses, status).is_some_and(|response| response.headers.iter().any(is_it))
    }

    /// Where the secrets are in the body of such an answer, of which perhaps no byte is there.
    pub fn response_secrets(&self, status: u16, content_type: &str, body: Option<&[u8]>) -> Secrets {
        let response = response::pick(&self.responses, status);
        response.map_or(Secrets::None, |response| response.content.secrets(content_type, body))
    }

    /// Everything about a request but its path, and but for what `mark` stands for.
    pub(crate) fn check<'d>(
        &'d self,
        request: &Request<'_>,
        captures: &[Cow<'_, str>],
        mark: Option<&str>,
    ) -> Result<Checked<'d>, Refusal> {
        let redacted = mark.map(|mark| Redacted { mark, request, path: &self.parameters.path, captures });
        if !redacted.as_ref().is_some_and(Redacted::had_credentials) {
            self.security.check(request)?;
        }
        if let Some(body) = &self.body {
            body.check_type(request)?;
        }
        let mut faults = Vec::new();
        let path_params = self.parameters.path(captures, &mut faults);
        let query_params = self.parameters.query(request.query, &mut faults);
        self.parameters.check_headers(request, &mut faults);
        if let Some(body) = &self.body {
            body.check(request, &mut faults);
        }
        if let Some(redacted) = &redacted {
            faults.retain(|fault| !redacted.excuses(fault));
        }
        if !faults.is_empty() {
            return Err(Refusal {
                faults,
                ..Refusal::new(400, "the request does not fit its documentation")
            });
        }
        let is_body_due = matches!(request.body, Payload::Unread)
            && self.body.as_ref().is_some_and(|body| body.reads(request));
        Ok(Checked { operation: self, path_params, query_params, is_body_due })
    }
}

impl Parameters {
    fn path(&self, captures: &[Cow<'_, str>], faults: &mut Vec<Fault>) -> Map<String, Value> {
        let mut params = Map::new();
        for (parameter, raw) in self.path.iter().zip(captures) {
            if let Some(value) = parameter.read(raw, Encoding::Percent, faults) {
                params.insert(parameter.name.clone(), value);
            }
        }
        params
    }

    fn query(&self, query: &str, faults: &mut Vec<Fault>) -> Map<String, Value> {
        let mut params = Map::new();
        if self.query.is_empty() {
            return params;
        }
        let pairs = match Pairs::query(query) {
            Ok(pairs) => pairs,
            Err(reason) => {
                faults.push(Fault::new(Location::Query, "", reason));
                return params;
            }
        };
        for parameter in &self.query {
            if let Some(value) = parameter.find(&pairs, faults) {
                params.insert(parameter.name.clone(), value);
            }
        }
        params
    }

    fn check_headers(&self, request: &Request<'_>, faults: &mut Vec<Fault>) {
        for parameter in &self.header {
            match request.header(&parameter.name) {
                Some(value) => parameter.read(value, Encoding::Plain, faults),
                None => parameter.absent(faults),
            };
        }
        if self.cookie.is_empty() {
            return;
        }
        let cookies = Pairs::cookies(request.headers);
        for parameter in &self.cookie {
            parameter.find(&cookies, faults);
        }
    }
}
