//! `Client`: what can be asked of a running platform, by clients and by operators.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::Reply;

/// Longer than anything here takes on a busy machine; a test that waits this long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks a running platform.
#[derive(Clone, Debug)]
pub struct Client {
    /// Where Funcs answer.
    pub url: String,
    /// Where the admin API answers.
    pub admin: String,
    /// What opens it.
    pub token: String,
    program: PathBuf,
    folder: PathBuf,
    agent: ureq::Agent,
}

impl Client {
    /// A client that runs commands in a folder of its own.
    pub fn new(program: &Path, folder: &Path, url: &str, admin: &str, token: &str) -> Self {
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Self {
            url: url.to_owned(),
            admin: admin.to_owned(),
            token: token.to_owned(),
            program: program.to_owned(),
            folder: folder.to_owned(),
            agent: config.into(),
        }
    }

    /// Where commands are run.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The copy of a Func folder that is served.
    pub fn func(&self, name: &str) -> PathBuf {
        self.folder.join("funcs").join(name)
    }

    /// Gets a path.
    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    /// Posts JSON to a path.
    pub fn post_json(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body.as_bytes())
    }

    /// Sends a request to a Func.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.send_to(&self.url, method, path, headers, body)
    }

    /// A call of the admin API with the token.
    pub fn admin(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let kind = if body.starts_with(b"PK") { "application/zip" } else { "application/json" };
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        self.send_to(&self.admin, method, path, if body.is_empty() { &headers[..1] } else { &headers }, body)
    }

    /// Sends a request to anybody.
    pub fn send_to(
        &self,
        base: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let reply = self.try_send_to(base, method, path, headers, body);
        reply.unwrap_or_else(|error| panic!("{method} {base}{path}: {error}"))
    }

    /// The same, of somebody who may not be there.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub fn try_send_to(
        &self,
        base: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{base}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = if body.is_empty() {
            self.agent.run(request.body(())?)?
        } else {
            self.agent.run(request.body(body)?)?
        };
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: response.body_mut().with_config().limit(64 << 20).read_to_vec()?,
        })
    }

    /// Sends raw bytes on a connection of their own and returns what comes back before it is closed
    /// or goes silent.
    pub fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        let mut reply = Vec::new();
        // A connection that is reset after the answer has still answered.
        let _reset = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }

    /// Connects to where Funcs answer.
    pub fn connect(&self) -> TcpStream {
        let address: SocketAddr = self.url.trim_start_matches("http://").parse().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Asks again until an answer is accepted.
    #[track_caller]
    pub fn until(&self, path: &str, accept: impl Fn(&Reply) -> bool) -> Reply {
        let begun = Instant::now();
        loop {
            let reply = self.get(path);
            if accept(&reply) {
                return reply;
            }
            assert!(begun.elapsed() < PATIENCE, "no acceptable answer from {path}, the last was {reply:?}");
        }
    }

    /// Runs `funcatron` against this platform.
    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(&self.program)
            .args(arguments)
            .current_dir(&self.folder)
            .env("FUNCATRON_URL", &self.admin)
            .env("FUNCATRON_TOKEN", &self.token)
            .env("XDG_CONFIG_HOME", &self.folder)
            .output()
            .unwrap()
    }
}
