//! `Engine`: a Docker Engine that is asked for one thing at a time, each within a limit of time.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bollard::{API_DEFAULT_VERSION, ClientVersion};
use tokio::time::timeout;

use crate::Error;

/// Containers without capabilities, and with all the limits that are set, also in a Swarm.
const API_MIN: (usize, usize) = (1, 41);
const API_MIN_TEXT: &str = "1.41";
/// What only reads, or writes into the engine's memory.
pub(crate) const SHORT: Duration = Duration::from_secs(10);
/// What sets up or takes down a container, on a machine that does that many times at once.
pub(crate) const LONG: Duration = Duration::from_secs(40);
/// The client's own limit, in seconds: ours are shorter.
const CLIENT_LIMIT: u64 = 120;

#[derive(Debug)]
pub(crate) struct Engine {
    host: String,
    /// Made when it is needed first, and again after trouble: another version may answer then.
    client: Mutex<Option<bollard::Docker>>,
}

impl Engine {
    pub(crate) fn at(host: &str) -> Result<Self, Error> {
        let is_known = ["unix:///", "http://", "tcp://"].iter().any(|scheme| host.starts_with(scheme));
        if !is_known {
            return Err(Error::BadHost(host.to_owned()));
        }
        Ok(Self { host: host.to_owned(), client: Mutex::new(None) })
    }

    pub(crate) fn host(&self) -> String {
        self.host.clone()
    }

    /// Asks for one thing. What the task is stands behind "docker does not".
    pub(crate) async fn ask<T, F>(
        &self,
        task: &'static str,
        limit: Duration,
        request: impl FnOnce(bollard::Docker) -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<T, bollard::errors::Error>>,
    {
        let client = self.client().await?;
        // What is sent lies in it, and is large.
        let answer = self.within(task, limit, Box::pin(request(client))).await;
        if let Err(Error::Unreachable { .. } | Error::Late { .. } | Error::Refused { status: 400, .. }) =
            answer
        {
            *self.client.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        answer
    }

    /// The client, speaking what both sides understand.
    async fn client(&self) -> Result<bollard::Docker, Error> {
        let known = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(client) = known {
            return Ok(client);
        }
        let probe = self.connect(API_DEFAULT_VERSION)?;
        let version = self.within("say its version", SHORT, probe.version()).await?;
        let spoken = version.api_version.unwrap_or_default();
        let Some((major, minor)) = version_of(&spoken).filter(|version| *version >= API_MIN) else {
            return Err(Error::OldApi { engine: self.host(), spoken, needed: API_MIN_TEXT });
        };
        let ours = (API_DEFAULT_VERSION.major_version, API_DEFAULT_VERSION.minor_version);
        let (major_version, minor_version) = ours.min((major, minor));
        let client = self.connect(&ClientVersion { major_version, minor_version })?;
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client.clone());
        Ok(client)
    }

    fn connect(&self, version: &ClientVersion) -> Result<bollard::Docker, Error> {
        let connected = if self.host.starts_with("unix://") {
            bollard::Docker::connect_with_unix(&self.host, CLIENT_LIMIT, version)
        } else {
            bollard::Docker::connect_with_http(&self.host, CLIENT_LIMIT, version)
        };
        connected.map_err(|error| self.error("connect", error))
    }

    async fn within<T>(
        &self,
        task: &'static str,
        limit: Duration,
        request: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, Error> {
        match timeout(limit, request).await {
            Ok(answer) => answer.map_err(|error| self.error(task, error)),
            Err(_elapsed) => Err(Error::Late { engine: self.host(), task, limit }),
        }
    }

    fn error(&self, task: &'static str, error: bollard::errors::Error) -> Error {
        use bollard::errors::Error as Failure;
        let engine = self.host();
        match error {
            Failure::DockerResponseServerError { status_code, message } => {
                Error::Refused { engine, task, status: status_code, message }
            }
            Failure::RequestTimeoutError
            | Failure::IOError { .. }
            | Failure::HyperResponseError { .. }
            | Failure::HyperLegacyError { .. }
            | Failure::SocketNotFoundError(_) => Error::Unreachable { engine, source: error.into() },
            other => Error::Unreadable { engine, task, source: other.into() },
        }
    }
}

fn version_of(text: &str) -> Option<(usize, usize)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
