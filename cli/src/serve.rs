//! `Process`: what the services of a cluster have in common when each runs on its own.

pub(crate) mod frontend;
pub(crate) mod runner;
mod scaling;
pub(crate) mod tron;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::tron::Token;
use anyhow::{Context, Result, anyhow, bail};
use telemetry::Metrics;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use tracing::info;
use wire::broker::{BrokerUrl, RabbitMq};
use wire::store::Credentials;
use wire::{Broker, MemberId, Role};

use crate::settings::Settings;
use crate::signals::{INTERRUPTED, Signals};
use crate::{check, listener, trouble};

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
    /// Where it tells about itself.
    metrics_listen: Option<SocketAddr>,
}

impl Process {
    /// Runs the service until it is told to stop, and tells about it. Ctrl-C after that ends the process at once.
    fn run<S>(
        self,
        metrics: Metrics,
        service: impl FnOnce(Arc<dyn Broker>, CancellationToken) -> S,
    ) -> Result<ExitCode>
    where
        S: Future<Output = Result<()>>,
    {
        event_loop(self.threads)?.block_on(async {
            let mut signals = Signals::listen().context("listen to signals")?;
            let mut telling = pin!(self.tell(metrics).await?);
            let broker = tokio::select! {
                broker = self.connect() => broker?,
                () = &mut telling => bail!("it ended before its time"),
                () = signals.stop() => return Ok(ExitCode::SUCCESS),
            };
            let stop = CancellationToken::new();
            let mut service = pin!(async {
                let ended = tokio::select! {
                    ended = service(broker.clone(), stop.clone()) => ended,
                    // To the end: it is of interest how what is left gets done.
                    () = telling => Ok(()),
                };
                // What was settled last is on its way to the broker still.
                broker.close().await;
                ended
            });
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

    /// Hands out what there is to tell for as long as it is polled: to nobody, if nobody is to ask.
    async fn tell(&self, metrics: Metrics) -> Result<impl Future<Output = ()> + use<>> {
        let listener = match self.metrics_listen {
            Some(address) => {
                let flag = "--metrics-listen";
                let listener = listener::bind((address.ip(), address.port()), flag, flag).await?;
                info!(metrics = %listener::url(&listener)?, "telling about itself");
                Some(listener)
            }
            None => None,
        };
        Ok(async {
            match listener {
                Some(listener) => metrics.serve(listener, CancellationToken::new()).await,
                None => std::future::pending().await,
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

/// That this process is this member, and what it takes of its machine.
fn members(role: Role, member: &MemberId) -> Metrics {
    let metrics = Metrics::default();
    metrics.add(Arc::new(telemetry::Process::new(vec![(role, member.clone())], env!("CARGO_PKG_VERSION"))));
    metrics
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
