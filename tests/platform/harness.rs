//! `Platform`: `funcatron dev` as a person runs it, in a process and a folder of its own, on free ports.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine; a test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A running platform. Dropping it ends the process.
pub(crate) struct Platform {
    dev: Child,
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    pub(crate) admin: String,
    pub(crate) token: String,
    agent: ureq::Agent,
}

/// A response, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Platform {
    /// Serves copies of these Func folders.
    pub(crate) fn serving(funcs: &[&Path]) -> Self {
        let folder = TempDir::new().unwrap();
        let served = folder.path().join("funcs");
        fs::create_dir(&served).unwrap();
        for func in funcs {
            copy_func(func, &served.join(func.file_name().unwrap()));
        }
        Self::start(folder)
    }

    fn start(folder: TempDir) -> Self {
        let state = folder.path().join("state");
        let mut dev = Command::new(env!("CARGO_BIN_EXE_funcatron"))
            .args(["dev", "funcs", "--port", "0", "--admin-port", "0", "--state", "state"])
            .current_dir(folder.path())
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let urls = announced_urls(&mut dev, 2);
        let token = fs::read_to_string(state.join("token")).unwrap().trim().to_owned();
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        let [url, admin] = <[String; 2]>::try_from(urls).unwrap();
        Self { dev, folder, url, admin, token, agent: config.into() }
    }

    /// The copy of a Func folder that is being served.
    pub(crate) fn func(&self, name: &str) -> PathBuf {
        self.folder.path().join("funcs").join(name)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post_json(&self, path: &str, body: &str) -> Reply {
        self.send("POST", path, &[("content-type", "application/json")], body.as_bytes())
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.send_to(&self.url, method, path, headers, body)
    }

    /// A call of the admin API with the token.
    pub(crate) fn admin(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        let bearer = format!("Bearer {}", self.token);
        let kind = if body.starts_with(b"PK") { "application/zip" } else { "application/json" };
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        self.send_to(&self.admin, method, path, if body.is_empty() { &headers[..1] } else { &headers }, body)
    }

    pub(crate) fn send_to(
        &self,
        base: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{base}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = if body.is_empty() {
            self.agent.run(request.body(()).unwrap()).unwrap()
        } else {
            self.agent.run(request.body(body).unwrap()).unwrap()
        };
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        Reply {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: response.body_mut().with_config().limit(64 << 20).read_to_vec().unwrap(),
        }
    }

    /// Sends raw bytes on a connection of their own and returns what comes back before it is closed
    /// or goes silent.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes).unwrap();
        let mut reply = Vec::new();
        // A connection that is reset after the answer has still answered.
        let _reset = stream.read_to_end(&mut reply);
        String::from_utf8_lossy(&reply).into_owned()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let address: SocketAddr = self.url.trim_start_matches("http://").parse().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Asks again until an answer is accepted.
    pub(crate) fn until(&self, path: &str, accept: impl Fn(&Reply) -> bool) -> Reply {
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
    pub(crate) fn command(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(env!("CARGO_BIN_EXE_funcatron"))
            .args(arguments)
            .current_dir(self.folder.path())
            .env("FUNCATRON_URL", &self.admin)
            .env("FUNCATRON_TOKEN", &self.token)
            .env("XDG_CONFIG_HOME", self.folder.path())
            .output()
            .unwrap()
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn terminate(&mut self) -> std::process::ExitStatus {
        let killed = Command::new("kill").arg(self.dev.id().to_string()).status().unwrap();
        assert!(killed.success());
        self.dev.wait().unwrap()
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.dev.kill();
        let _reaped = self.dev.wait();
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The problem that this is, after checking that it is one as RFC 9457 and our own words want it.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail", "request_id", "component"] {
            assert!(problem[member].is_string(), "no {member} in {problem}");
        }
        problem
    }
}

/// One of the repository's Funcs.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../funcs").join(name)
}

/// One of the Funcs that exist for tests alone.
pub(crate) fn test_func(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/funcs").join(name)
}

fn copy_func(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for part in ["funcatron.yaml", "index.js", "func.wasm"] {
        if from.join(part).exists() {
            fs::copy(from.join(part), to.join(part)).unwrap();
        }
    }
}

/// The first URLs that the process prints; what it prints later is read and dropped, so that it never
/// blocks on a full pipe.
fn announced_urls(dev: &mut Child, count: usize) -> Vec<String> {
    let stdout = dev.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let url = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:"));
            if let Some(url) = url {
                // Nobody listens once the platform is up.
                let _unheard = sender.send(base_of(url));
            }
        }
    });
    let mut urls: Vec<String> = Vec::new();
    while urls.len() < count {
        let url = receiver.recv_timeout(PATIENCE).expect("funcatron dev did not announce its URLs");
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

/// Scheme, host and port.
fn base_of(url: &str) -> String {
    url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/")
}
