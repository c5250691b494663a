//! `Cluster`: the platform as separate processes, over a virtual host and a store of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Client, PATIENCE, Process, Vhost, copy_func};

const TOKEN: &str = "a-token-for-tests";
const ANY_PORT: &str = "--listen=127.0.0.1:0";

/// Between two looks at something that takes its time.
const PAUSE: Duration = Duration::from_millis(20);

/// How many there are to be of each.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Frontends.
    pub frontends: usize,
    /// Trons.
    pub trons: usize,
    /// Runners.
    pub runners: usize,
}

/// A running cluster. Dropping it ends its processes and removes what they left.
#[derive(Debug)]
pub struct Cluster {
    /// The frontends, with where they answer.
    pub frontends: Vec<(Process, String)>,
    /// The Trons, with where their admin APIs answer.
    pub trons: Vec<(Process, String)>,
    /// The runners.
    pub runners: Vec<Process>,
    /// Where those tell of themselves that were told to, with their roles.
    pub metrics: Vec<(String, String)>,
    /// What they talk over.
    pub vhost: Vhost,
    /// Where everything lies: the store, and the Funcs that are served.
    pub folder: TempDir,
    program: PathBuf,
}

impl Cluster {
    /// Starts the processes and waits until they know each other.
    pub fn start(program: &Path, size: Size) -> Self {
        Self::start_on(Vhost::new(), program, size)
    }

    /// The same, on this virtual host.
    pub fn start_on(vhost: Vhost, program: &Path, size: Size) -> Self {
        let mut cluster = Self {
            frontends: Vec::new(),
            trons: Vec::new(),
            runners: Vec::new(),
            metrics: Vec::new(),
            vhost,
            folder: TempDir::new().unwrap(),
            program: program.to_owned(),
        };
        fs::create_dir(cluster.folder.path().join("funcs")).unwrap();
        let trons: Vec<_> = (0..size.trons).map(|_| cluster.spawn(&["tron", ANY_PORT], &[])).collect();
        let frontends: Vec<_> =
            (0..size.frontends).map(|_| cluster.spawn(&["frontend", ANY_PORT], &[])).collect();
        cluster.runners = (0..size.runners).map(|_| cluster.spawn(&["runner"], &[])).collect();
        cluster.trons = trons.into_iter().map(settled).collect();
        cluster.frontends = frontends.into_iter().map(settled).collect();
        cluster.until_ready();
        cluster
    }

    /// Starts one more frontend.
    pub fn add_frontend(&mut self, arguments: &[&str]) {
        let process = self.add(&[&["frontend", ANY_PORT], arguments].concat(), &[]);
        self.frontends.push(settled(process));
    }

    /// Starts one more Tron.
    pub fn add_tron(&mut self, arguments: &[&str]) {
        let process = self.add(&[&["tron", ANY_PORT], arguments].concat(), &[]);
        self.trons.push(settled(process));
    }

    /// Starts one more runner.
    pub fn add_runner(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        let process = self.add(&[&["runner"], arguments].concat(), environment);
        self.runners.push(process);
    }

    /// A client of the first frontend, whose operator talks to the first Tron.
    pub fn client(&self) -> Client {
        self.client_of(&self.frontends[0].1, &self.trons[0].1)
    }

    /// A client of each frontend, with an operator at each Tron in turn.
    pub fn clients(&self) -> Vec<Client> {
        let pairs = self.frontends.iter().zip(self.trons.iter().cycle());
        pairs.map(|((_, frontend), (_, tron))| self.client_of(frontend, tron)).collect()
    }

    /// A client of this frontend, whose operator talks to this Tron.
    pub fn client_of(&self, frontend: &str, tron: &str) -> Client {
        Client::new(&self.program, self.folder.path(), frontend, tron, TOKEN)
    }

    /// Deploys a copy of a Func's folder, and waits until every Tron knows.
    pub fn deploy(&self, func: &Path) {
        self.deploy_with(func, &[]);
    }

    /// The same, with further arguments for `funcatron deploy`.
    pub fn deploy_with(&self, func: &Path, arguments: &[&str]) {
        let copy = self.folder.path().join("funcs").join(func.file_name().unwrap());
        if !copy.exists() {
            copy_func(func, &copy);
        }
        let output = self.client().command(&[&["deploy", copy.to_str().unwrap()], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let newest = self.deployment(&self.trons[0].1);
        self.until("every Tron knows the deployment", || {
            self.trons.iter().all(|(_, url)| self.deployment(url) >= newest)
        });
    }

    /// Waits until all answer and the Trons have heard of every runner.
    pub fn until_ready(&self) {
        let health = |(url, path): (&str, &str)| {
            let reply = self.client().try_send_to(url, "GET", path, &[], b"");
            reply.is_ok_and(|reply| reply.status == 200)
        };
        let frontends = self.frontends.iter().map(|(_, url)| (url.as_str(), "/_funcatron/health"));
        let trons = self.trons.iter().map(|(_, url)| (url.as_str(), "/api/v1/health"));
        for service in frontends.chain(trons) {
            self.until("services answer", || health(service));
        }
        for (_, url) in &self.trons {
            let client = self.client_of(&self.frontends[0].1, url);
            self.until("runners are members", || members(&client, "runner") >= self.runners.len());
        }
    }

    /// Waits for something that comes by itself.
    #[track_caller]
    pub fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "it never came that {what}");
            std::thread::park_timeout(PAUSE);
        }
    }

    /// The number of the deployment that a Tron dispatches by.
    fn deployment(&self, tron: &str) -> u64 {
        let health = self.client().send_to(tron, "GET", "/api/v1/health", &[], b"").json();
        health["deployment"].as_u64().unwrap()
    }

    fn add(&mut self, arguments: &[&str], environment: &[(&str, &str)]) -> Process {
        let process = self.spawn(arguments, environment);
        if arguments.iter().any(|argument| argument.starts_with("--metrics-listen")) {
            self.metrics.push((arguments[0].to_owned(), process.logged("metrics")));
        }
        process
    }

    fn spawn(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Process {
        let store = format!("file://{}", self.folder.path().join("store").display());
        let all = [
            ("FUNCATRON_BROKER", self.vhost.url_of(arguments[0])),
            ("FUNCATRON_STORE", store.as_str()),
            ("FUNCATRON_TOKEN", TOKEN),
        ];
        Process::start(&self.program, self.folder.path(), arguments, &[&all, environment].concat())
    }
}

/// Waits until it says where it answers, and has it keep to that.
fn settled(mut process: Process) -> (Process, String) {
    let url = process.logged("url");
    process.keep_address(&url);
    (process, url)
}

/// How many members of a role a Tron has heard of lately.
fn members(operator: &Client, role: &str) -> usize {
    let members = operator.admin("GET", "/api/v1/members", b"").json();
    members.as_array().unwrap().iter().filter(|member| member["role"] == role).count()
}
