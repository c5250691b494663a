//! `Platform`: `funcatron dev` as a person runs it, in a process and a folder of its own, on free ports.

use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};

use harness::{Client, PATIENCE, copy_func};
use tempfile::TempDir;

pub(crate) use harness::{sample, test_func};

/// A running platform. Dropping it ends the process.
pub(crate) struct Platform {
    dev: Child,
    client: Client,
    /// Kept until the end of the test.
    folder: Arc<TempDir>,
}

impl Platform {
    /// Serves copies of these Func folders.
    pub(crate) fn serving(funcs: &[&Path]) -> Self {
        Self::serving_with(funcs, &[])
    }

    /// The same, with results posted to these hosts.
    pub(crate) fn posting(funcs: &[&Path], callbacks: &str) -> Self {
        Self::serving_with(funcs, &["--callbacks", callbacks])
    }

    /// The same, with every request traced for this collector.
    pub(crate) fn traced(funcs: &[&Path], collector: &str) -> Self {
        Self::serving_with(funcs, &["--otlp-endpoint", collector])
    }

    fn serving_with(funcs: &[&Path], arguments: &[&str]) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        let served = folder.path().join("funcs");
        fs::create_dir(&served).unwrap();
        for func in funcs {
            copy_func(func, &served.join(func.file_name().unwrap()));
        }
        Self::start(folder, arguments)
    }

    /// Ends it, and starts it anew over what it left.
    pub(crate) fn restart(&mut self) {
        self.terminate();
        *self = Self::start(Arc::clone(&self.folder), &[]);
    }

    fn start(folder: Arc<TempDir>, arguments: &[&str]) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_funcatron"));
        let state = folder.path().join("state");
        let mut dev = Command::new(program)
            .args(["dev", "funcs", "--port", "0", "--admin-port", "0", "--state", "state"])
            .args(arguments)
            .current_dir(folder.path())
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let urls = announced_urls(&mut dev, 2);
        let token = fs::read_to_string(state.join("token")).unwrap().trim().to_owned();
        let client = Client::new(program, folder.path(), &urls[0], &urls[1], &token);
        Self { dev, client, folder }
    }

    /// Serves a Func as it was saved: that is what `dev` does all the time.
    pub(crate) fn saved(&self, name: &str) {
        assert!(self.func(name).exists());
    }

    /// The process ids of everybody on the way of a call: here all in one.
    pub(crate) fn processes(&self) -> Vec<u32> {
        vec![self.dev.id()]
    }

    /// Asks the process to end, and waits until it has.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        let killed = Command::new("kill").arg(self.dev.id().to_string()).status().unwrap();
        assert!(killed.success());
        self.dev.wait().unwrap()
    }
}

impl Deref for Platform {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.dev.kill();
        let _reaped = self.dev.wait();
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
