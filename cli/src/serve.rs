//! `Process`: what the services of a cluster have in common when each runs on its own.

pub(crate) mod frontend;
pub(crate) mod runner;
mod scaling;
pub(crate) mod tron;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::tron::Token;
use anyhow::{Context, Result, anyhow, bail};
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tracing::info;
use wire::broker::{BrokerUrl, RabbitMq};
use wire::store::Credentials;
use wire::{Broker, MemberId};

use crate::settings::Settings;
use crate::signals::{INTERRUPTED, Signals};
use crate::telling::Telling;
use crate::{check, trouble};

/// After the time to drain: what remains is to be told to the broker and written to the log.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// One member of a cluster.
#[derive(Debug)]
struct Process {
    member: MemberId,
    broker: BrokerUrl,
    /// Threads with an event loop.
    threads: usize,
    /// How long running calls have to finish.
    drain_timeout: Duration,
    /// What it tells about itself.
    telling: Telling,
}

impl Process {
    /// Runs the service until it is told to stop, and tells about it. Ctrl-C after that ends the process at once.
    fn run<S>(mut self, service: impl FnOnce(Arc<dyn Broker>, CancellationToken) -> S) -> Result<ExitCode>
    where
        S: Future<Output = Result<()>>,
    {
        event_loop(self.threads)?.block_on(async {
            let mut signals = Signals::listen().context("listen to signals")?;
            let telling_stop = CancellationToken::new();
            let telling = std::mem::take(&mut self.telling).start(telling_stop.clone()).await?;
            let mut telling = pin!(telling);
            let broker = tokio::select! {
                broker = self.connect() => broker?,
                () = &mut telling => bail!("it ended before its time"),
                () = signals.stop() => return Ok(ExitCode::SUCCESS),
            };
            let stop = CancellationToken::new();
            let service = pin!(async {
                let ended = service(broker.clone(), stop.clone()).await;
                // What was settled last is on its way to the broker still.
                broker.close().await;
                // Last: it is of interest how what was left got done.
                telling_stop.cancel();
                ended
            });
            let mut service = pin!(async { tokio::join!(service, telling).0 });
            tokio::select! {
                ended = &mut service => return Err(ended.err().unwrap_or_else(|| anyhow!("it ended before its time"))),
                () = signals.stop() => info!(member = %self.member, "stopping"),
            }
            stop.cancel();
            tokio::select! {
                ended = tokio::time::timeout(self.drain_timeout + STOP_GRACE, service) => match ended {
                    Ok(ended) => ended.map(|()| ExitCode::SUCCESS),
                    Err(_late) => bail!("it did not stop in time and was ended"),
                },
                () = signals.at_once() => std::process::exit(INTERRUPTED),
            }
        })
    }

    /// Waits for the broker if need be.
    async fn connect(&self) -> Result<Arc<RabbitMq>> {
        info!(broker = %self.broker, member = %self.member, "connecting");
        let broker = RabbitMq::connect(&self.broker, self.member.as_str()).await;
        Ok(Arc::new(broker.with_context(|| format!("connect to {}", self.broker))?))
    }
}

/// One thread needs no locks to talk to itself.
fn event_loop(threads: usize) -> std::io::Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        _ => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

/// The token, from the setting or from the file that another setting names.
fn token(settings: &mut Settings) -> Option<Token> {
    let given = settings.optional("token", Token::from_text);
    let kept = settings.optional("token-file", |path| {
        let text =
            std::fs::read_to_string(Path::new(path)).map_err(|error| format!("read {path}: {error}"))?;
        Token::from_text(&text).map_err(|error| format!("{path}: {error}"))
    });
    if given.is_some() && kept.is_some() {
        settings.mistake("token and token-file are both given: one of them is not meant");
    }
    given.or(kept)
}

/// How runners are set up, and Tron's check of code, which runs it too.
fn runner_config(settings: &mut Settings) -> Option<::runner::Config> {
    let given = settings.optional("cache-dir", |dir| Ok::<_, String>(PathBuf::from(dir)));
    // Not in a directory that everybody writes to: what is kept there is run.
    let Some(cache_dir) = given.or_else(check::cache_dir) else {
        settings.mistake("cache-dir is missing, and there is no home directory that can be written");
        return None;
    };
    match check::runner_config(cache_dir) {
        Ok(config) => Some(config),
        Err(error) => {
            settings.mistake(trouble::chain(&error));
            None
        }
    }
}

/// What opens the store.
fn credentials(token: Option<&Token>) -> Credentials {
    Credentials {
        token: token.map(|token| token.reveal().to_owned()),
        aws: std::env::vars().filter(|(name, _)| name.starts_with("AWS_")).collect(),
    }
}
