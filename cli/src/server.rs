//! `Server`: the admin API as the commands call it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::request::Builder;
use ureq::http::{Request, Response};
use ureq::{Agent, Body};
use wire::PROBLEM_MEDIA_TYPE;

use crate::connection::{Connection, Given};
use crate::trouble::Refusal;

/// Longer than a deployment waits for its runner, and short enough for somebody who waits.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A server that is there accepts at once.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest answer is a bundle.
const ANSWER_BYTES_MAX: u64 = 80 << 20;

/// A server and how to reach it.
#[derive(Debug)]
pub(crate) struct Server {
    agent: Agent,
    /// Which one it is.
    pub(crate) connection: Connection,
}

impl Server {
    /// The server that was given, or the one that stands in.
    pub(crate) fn choose(given: &Given) -> Result<Self> {
        Ok(Self::new(given.connection()?))
    }

    /// This server.
    pub(crate) fn new(connection: Connection) -> Self {
        Self { agent: agent(), connection }
    }

    /// Reads a value.
    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let body = self.bytes(path)?;
        serde_json::from_slice(&body).with_context(|| format!("understand the answer of {}", self.name()))
    }

    /// Reads bytes.
    pub(crate) fn bytes(&self, path: &str) -> Result<Vec<u8>> {
        read(self.send("GET", path, None)?)
    }

    /// Sends a value and reads one.
    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, value: &impl Serialize) -> Result<T> {
        self.post_bytes(path, "application/json", serde_json::to_vec(value)?)
    }

    /// Sends a value and reads one, which may take longer.
    pub(crate) fn post_within<T: DeserializeOwned>(
        &self,
        timeout: Duration,
        path: &str,
        value: &impl Serialize,
    ) -> Result<T> {
        let body = Some(("application/json", serde_json::to_vec(value)?));
        self.understand(self.send_within(Some(timeout), "POST", path, body)?)
    }

    /// Sends bytes and reads a value.
    pub(crate) fn post_bytes<T: DeserializeOwned>(
        &self,
        path: &str,
        media_type: &str,
        body: Vec<u8>,
    ) -> Result<T> {
        self.understand(self.send("POST", path, Some((media_type, body)))?)
    }

    /// Sends a file, however long it is, and reads a value.
    pub(crate) fn post_file<T: DeserializeOwned>(
        &self,
        path: &str,
        media_type: &str,
        file: File,
    ) -> Result<T> {
        let request = self.request("POST", path).header("content-type", media_type).body(file)?;
        let answer = read(self.answered(self.run(None, request))?)?;
        serde_json::from_slice(&answer).with_context(|| format!("understand the answer of {}", self.name()))
    }

    /// Sends a value to be put somewhere and reads one.
    pub(crate) fn put<T: DeserializeOwned>(&self, path: &str, value: &impl Serialize) -> Result<T> {
        let body = ("application/json", serde_json::to_vec(value)?);
        let answer = read(self.send("PUT", path, Some(body))?)?;
        serde_json::from_slice(&answer).with_context(|| format!("understand the answer of {}", self.name()))
    }

    /// Removes something.
    pub(crate) fn delete(&self, path: &str) -> Result<()> {
        self.send("DELETE", path, None).map(drop)
    }

    /// Removes something and reads what that came to.
    pub(crate) fn delete_for<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.understand(self.send("DELETE", path, None)?)
    }

    fn understand<T: DeserializeOwned>(&self, response: Response<Body>) -> Result<T> {
        let answer = read(response)?;
        serde_json::from_slice(&answer).with_context(|| format!("understand the answer of {}", self.name()))
    }

    /// The lines of an answer, as they come.
    pub(crate) fn lines(&self, path: &str) -> Result<impl Iterator<Item = std::io::Result<String>>> {
        let response = self.send_within(None, "GET", path, None)?;
        Ok(BufReader::new(response.into_body().into_reader()).lines())
    }

    fn send(&self, method: &str, path: &str, body: Option<(&str, Vec<u8>)>) -> Result<Response<Body>> {
        self.send_within(Some(TIMEOUT), method, path, body)
    }

    fn send_within(
        &self,
        timeout: Option<Duration>,
        method: &str,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
    ) -> Result<Response<Body>> {
        let mut request = self.request(method, path);
        if let Some((media_type, _)) = &body {
            request = request.header("content-type", *media_type);
        }
        let sent = match body {
            Some((_, body)) => self.run(timeout, request.body(body)?),
            None => self.run(timeout, request.body(())?),
        };
        self.answered(sent)
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        let url = format!("{}/api/v1{path}", self.connection.url);
        let request = Request::builder().method(method).uri(url);
        match &self.connection.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn answered(&self, sent: Result<Response<Body>, ureq::Error>) -> Result<Response<Body>> {
        let response = sent.map_err(|error| self.unreachable(error))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refused(response)) }
    }

    fn run<B: ureq::AsSendBody>(
        &self,
        timeout: Option<Duration>,
        request: Request<B>,
    ) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.configure_request(request).timeout_global(timeout).build();
        self.agent.run(request)
    }

    fn unreachable(&self, error: ureq::Error) -> anyhow::Error {
        anyhow!(error).context(format!(
            "no answer from {}; `funcatron dev` starts a server, --url names another",
            self.name()
        ))
    }

    fn refused(&self, response: Response<Body>) -> anyhow::Error {
        let status = response.status().as_u16();
        let refusal = match problem(response) {
            Ok(refusal) => anyhow!(refusal),
            Err(_) => anyhow!("{} answered {status} and does not seem to be Funcatron", self.name()),
        };
        match (status, &self.connection.token) {
            (401, None) => refusal.context(format!(
                "{} wants a token (--token, FUNCATRON_TOKEN or `funcatron login`); `funcatron dev` keeps its own in \
                 .funcatron/token of its folder, where commands find it",
                self.name()
            )),
            (401, Some(_)) => refusal.context(format!("{} does not know the token", self.name())),
            _ => refusal,
        }
    }

    fn name(&self) -> String {
        format!("{} ({})", self.connection.url, self.connection.origin)
    }
}

/// An HTTP client for a person who waits.
pub(crate) fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("funcatron/", env!("CARGO_PKG_VERSION")));
    config.build().into()
}

/// Reads a body of a bearable size.
pub(crate) fn read(response: Response<Body>) -> Result<Vec<u8>> {
    let body = response.into_body().into_with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    body.context("read the answer")
}

/// One segment of a path, or a value of a query.
pub(crate) fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn problem(response: Response<Body>) -> Result<Refusal> {
    let media_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
    if !media_type.is_some_and(|value| value.starts_with(PROBLEM_MEDIA_TYPE)) {
        bail!("not a problem");
    }
    Ok(serde_json::from_slice(&read(response)?)?)
}
