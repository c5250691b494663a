//! `Processes`: runners as processes of this machine, with a folder that says which there are.

mod directory;
mod identity;
mod logs;
mod record;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::process::{Child, Command};
use tokio::task::spawn_blocking;
use tracing::{info, warn};
use wire::{PoolName, Timestamp};

use self::directory::Directory;
use self::identity::Identity;
use self::logs::Logs;
use self::record::{Ended, Record};
use crate::pool::{self, Found, Step};
use crate::redaction::Redaction;
use crate::template::instance_name;
use crate::{Error, Instance, InstanceState, Substrate, Template};

/// The variables of our own environment that a runner needs as well; nothing else of it is handed on.
pub const INHERITED: [&str; 4] = ["PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR"];

/// How often somebody who waits for processes to end looks at them.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Why it has ended, where nobody saw how.
const UNSEEN_END: &str = "it has ended";

/// What a runner is as a process.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file to run.
    pub path: PathBuf,
    /// What it is told.
    pub arguments: Vec<String>,
    /// The variables that it finds beside those of its template: see [`INHERITED`].
    pub environment: Vec<(String, String)>,
}

/// Runners as processes of this machine. Limits on processors and memory are not held: that takes an engine.
///
/// Each is in a process group of its own and outlives a Tron that is killed. A later one over the same folder
/// takes over what it finds there.
#[derive(Debug)]
pub struct Processes {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    program: Program,
    directory: Directory,
    logs: Logs,
    /// The processes that this one is the parent of, waited for so that none is left as a zombie. Each stays until how
    /// it ended is written down.
    children: Mutex<HashMap<String, Arc<OnceLock<Ended>>>>,
}

impl Processes {
    /// Takes over the processes that the folder tells of; makes the folder if need be.
    ///
    /// # Errors
    /// When the folder cannot be made, or the machine does not tell which processes there are.
    pub fn open(folder: &Path, program: Program) -> Result<Self, Error> {
        Identity::of_this_process().map_err(Error::machine("look at processes in /proc"))?;
        let directory = Directory::open(folder)?;
        let logs = Logs::open(&folder.join("logs"))?;
        let shared = Shared { program, directory, logs, children: Mutex::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Does it with the folder in hand, where it may block.
    async fn with<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = self.shared.clone();
        let done = spawn_blocking(move || {
            let _lock = shared.directory.lock()?;
            task(&shared)
        });
        match done.await {
            Ok(result) => result,
            Err(ended) => Err(Error::machine("look after processes")(ended.into())),
        }
    }
}

#[async_trait]
impl Substrate for Processes {
    async fn instances(&self, templates: &[Template]) -> Result<Vec<Instance>, Error> {
        let templates = templates.to_vec();
        self.with(move |shared| shared.instances(&templates)).await
    }

    async fn scale(&self, template: &Template, count: usize, ready: &BTreeSet<String>) -> Result<(), Error> {
        let (template, ready) = (template.clone(), ready.clone());
        self.with(move |shared| {
            let mut records = shared.survey()?;
            records.retain(|record| record.pool == template.pool);
            let steps = pool::scale(&template.fingerprint(), count, &ready, &found(&records));
            shared.take(steps, &records, Some(&template))
        })
        .await
    }

    async fn retire(&self, pools_kept: &[PoolName]) -> Result<(), Error> {
        let kept = pools_kept.to_vec();
        self.with(move |shared| {
            let mut records = shared.survey()?;
            records.retain(|record| !kept.contains(&record.pool));
            shared.take(pool::retire(&found(&records)), &records, None)
        })
        .await
    }

    async fn leave_all(&self) -> Result<(), Error> {
        loop {
            self.retire(&[]).await?;
            if self.instances(&[]).await?.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }
}

impl Shared {
    fn instances(&self, templates: &[Template]) -> Result<Vec<Instance>, Error> {
        let shown = found(&self.survey()?).into_iter().filter_map(|found| {
            let template = templates.iter().find(|template| template.pool.as_str() == found.pool);
            let fingerprint = template.map(Template::fingerprint);
            let mut instance = found.instance(fingerprint.as_deref())?;
            if let (InstanceState::Failed { reason }, Some(template)) = (&mut instance.state, template)
                && let Some(line) = self.logs.last_line(&found.name)
            {
                *reason = format!("{reason}: {}", Redaction::of(template).apply(&line));
            }
            Some(instance)
        });
        Ok(shown.collect())
    }

    /// What there is, with what became of it since somebody looked.
    fn survey(&self) -> Result<Vec<Record>, Error> {
        let mut records = Vec::new();
        for record in self.directory.records()? {
            if let Some(record) = self.look_after(record)? {
                self.logs.shorten(&record.instance)?;
                records.push(record);
            }
        }
        self.children().retain(|instance, _| {
            records.iter().any(|record| record.instance == *instance && record.ended.is_none())
        });
        self.logs.prune(&records).map_err(Error::machine("clear away old logs"))?;
        Ok(records)
    }

    /// Writes down what became of it; nothing is left of what never began.
    fn look_after(&self, mut record: Record) -> Result<Option<Record>, Error> {
        let now = Timestamp::now();
        let mut is_news = false;
        if record.ended.is_none() && record.identity.is_none() {
            // Whoever began to start it did not live to write down what came of it.
            record.identity = Identity::of_instance(&record.instance);
            if record.identity.is_none() {
                self.directory.remove(&record)?;
                return Ok(None);
            }
            is_news = true;
        }
        if record.ended.is_none() {
            record.ended = self.end(&record);
            is_news |= record.ended.is_some();
        }
        if record.is_leaving && record.leaving_since.is_none() {
            record.leaving_since = Some(now);
            is_news = true;
        }
        if is_news {
            self.directory.write(&record)?;
        }
        Ok(Some(record))
    }

    /// How it has ended, once it has. Of a child its exit status tells, which is there a moment after the child is gone:
    /// until then it runs.
    fn end(&self, record: &Record) -> Option<Ended> {
        match self.children().get(&record.instance) {
            Some(child) => child.get().cloned(),
            None if record.identity.as_ref().is_some_and(Identity::is_alive) => None,
            None => Some(Ended { at: Timestamp::now(), reason: UNSEEN_END.to_owned() }),
        }
    }

    fn children(&self) -> MutexGuard<'_, HashMap<String, Arc<OnceLock<Ended>>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, steps: Vec<Step>, records: &[Record], template: Option<&Template>) -> Result<(), Error> {
        let record = |id: &str| records.iter().find(|record| record.instance == id);
        for step in steps {
            match (step, template) {
                (Step::Start { number, attempt }, Some(template)) => self.start(template, number, attempt)?,
                (Step::Leave(id), _) => {
                    if let Some(record) = record(&id) {
                        info!(instance = %id, "runner told to leave");
                        self.directory.have_leave(record)?;
                        record.terminate();
                    }
                }
                (Step::Remind(id), _) => {
                    if let Some(record) = record(&id) {
                        record.terminate();
                    }
                }
                (Step::Kill(id), _) => {
                    warn!(instance = %id, "runner did not leave in time and is ended");
                    if let Some(identity) = record(&id).and_then(|record| record.identity.as_ref()) {
                        identity.kill();
                    }
                }
                (Step::Remove(id), _) => {
                    if let Some(record) = record(&id) {
                        self.directory.remove(record)?;
                    }
                }
                // A process is made by being started.
                (Step::Begin(_) | Step::Start { .. }, _) => {}
            }
        }
        Ok(())
    }

    fn start(&self, template: &Template, number: usize, attempt: u32) -> Result<(), Error> {
        let instance = instance_name(&template.pool, number);
        let mut record = Record::new(template, &instance, number, attempt);
        if !self.directory.create(&record)? {
            return Ok(());
        }
        match self.spawn(template, &instance) {
            Ok((child, identity)) => {
                info!(%instance, pid = identity.pid, attempt, "runner started");
                record.identity = Some(identity);
                self.watch(instance, child);
            }
            Err(error) => {
                let reason = format!("{} cannot be started: {error}", self.program.path.display());
                record.ended = Some(Ended { at: record.started_at, reason });
            }
        }
        self.directory.write(&record)
    }

    fn spawn(&self, template: &Template, instance: &str) -> std::io::Result<(Child, Identity)> {
        let log = self.logs.create(instance)?;
        let child = Command::new(&self.program.path)
            .args(&self.program.arguments)
            .env_clear()
            .envs(self.program.environment.iter().map(|(name, value)| (name, value)))
            .envs(template.variables(instance))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            // What a person's Ctrl-C ends is Tron, which says what becomes of its runners.
            .process_group(0)
            .spawn()?;
        // Nobody has waited for it yet: so long it is there, even if it has ended.
        let identity = Identity::of_child(child.id())?;
        Ok((child, identity))
    }

    fn watch(&self, instance: String, mut child: Child) {
        let end = Arc::new(OnceLock::new());
        self.children().insert(instance, end.clone());
        tokio::spawn(async move {
            let reason = child.wait().await.map_or(UNSEEN_END.to_owned(), reason);
            let _first = end.set(Ended { at: Timestamp::now(), reason });
        });
    }
}

fn found(records: &[Record]) -> Vec<Found> {
    records.iter().map(Record::found).collect()
}

fn reason(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, signal) => format!("ended by signal {}", signal.unwrap_or_default()),
    }
}
