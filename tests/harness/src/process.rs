//! `Process`: one `funcatron`, watched and made to suffer.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::PATIENCE;

/// A running service of a cluster. Dropping it ends it at once.
#[derive(Debug)]
pub struct Process {
    child: Child,
    lines: Receiver<String>,
    program: PathBuf,
    folder: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Process {
    /// Starts `funcatron` with these arguments, in this folder.
    pub fn start(program: &Path, folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment: Vec<_> = environment.iter().map(pair).collect();
        let (child, lines) = spawn(program, folder, &arguments, &environment);
        Self { child, lines, program: program.to_owned(), folder: folder.to_owned(), arguments, environment }
    }

    /// Starts it again as it was started first, on the port that it had.
    pub fn start_again(&mut self) {
        self.kill();
        (self.child, self.lines) = spawn(&self.program, &self.folder, &self.arguments, &self.environment);
    }

    /// Has every further start listen where it listens now.
    pub fn keep_address(&mut self, url: &str) {
        let listen = format!("--listen={}", url.trim_start_matches("http://"));
        self.arguments.retain(|argument| !argument.starts_with("--listen="));
        self.arguments.push(listen);
    }

    /// Has every further start be told this as well.
    pub fn tell(&mut self, argument: &str) {
        self.arguments.push(argument.to_owned());
    }

    /// Whether it logged this message since somebody last asked or waited for what it logs.
    pub fn has_said(&self, message: &str) -> bool {
        let said = self.lines.try_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
        said.filter(|line| line["message"] == message).count() > 0
    }

    /// Waits until it logs a line with this field, and gives the field's text.
    #[track_caller]
    pub fn logged(&self, field: &str) -> String {
        self.logs(field, |_any| true)[field].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until it logs this message, and gives the whole line.
    #[track_caller]
    pub fn says(&self, message: &str) -> Value {
        self.logs("message", |said| said == message)
    }

    #[track_caller]
    fn logs(&self, field: &str, accept: impl Fn(&str) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let line = self.lines.recv_timeout(PATIENCE.saturating_sub(begun.elapsed()));
            let line = line.unwrap_or_else(|_gone| panic!("{:?} never logged that {field}", self.arguments));
            let line: Value = serde_json::from_str(&line).unwrap_or_default();
            if line[field].as_str().is_some_and(&accept) {
                return line;
            }
        }
    }

    /// Everything that it said and nobody waited for, once it has ended.
    pub fn said(&self) -> String {
        self.lines.iter().collect::<Vec<_>>().join("\n")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it at once, as a machine that loses its power does.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Asks it to end.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Stops it where it is, as a machine that swaps or a paused container does.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(
    program: &Path,
    folder: &Path,
    arguments: &[String],
    environment: &[(String, String)],
) -> (Child, Receiver<String>) {
    let mut child = Command::new(program)
        .args(arguments)
        .args(["--log-format", "json"])
        .current_dir(folder)
        .env_remove("RUST_LOG")
        .envs(environment.iter().cloned())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = watch(child.stderr.take().unwrap(), child.id());
    (child, lines)
}

/// Shows what it logs to whoever reads the test's output, and hands it on.
fn watch(stderr: ChildStderr, id: u32) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            eprintln!("[{id}] {line}");
            // Nobody may listen any more; what is logged is shown all the same.
            let _unheard = sender.send(line);
        }
    });
    lines
}
