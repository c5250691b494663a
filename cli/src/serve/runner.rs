//! `funcatron runner`: one runner of a cluster.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use runner::Config;
use tracing::info;
use wire::broker::BrokerUrl;
use wire::{Labels, PoolName, Role, Store, StoreUrl};

use super::{Process, credentials, runner_config, token};
use crate::settings::{AFTER_HELP, Settings, quantity};
use crate::telling::Telling;

/// Run a runner of a cluster: it runs Funcs
///
/// Start as many as there is work for; each takes what it has room for. `funcatron members` shows those that are up.
#[derive(Debug, Default, clap::Args, serde::Serialize)]
#[command(after_help = AFTER_HELP)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Runner {
    /// RabbitMQ: amqp://user:password@host:5672/vhost, or amqps:// for TLS
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Where bundles are read from: http://TRON:PORT (a Tron's admin API), file:///DIRECTORY or s3://BUCKET/PREFIX
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The token of the admin API, for a store behind a Tron
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// The file that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<String>,
    /// Threads that run Funcs [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    threads: Option<String>,
    /// Calls that may run at once on each of them [default: 32]
    #[arg(long, value_name = "NUMBER")]
    slots: Option<String>,
    /// What Funcs may ask of a runner: name=value, with commas between them
    #[arg(long, value_name = "LABELS")]
    labels: Option<String>,
    /// Funcs that it holds at most [default: as many as there are]
    #[arg(long, value_name = "NUMBER")]
    funcs_max: Option<String>,
    /// The pool that it belongs to
    #[arg(long, value_name = "POOL")]
    pool: Option<String>,
    /// What whoever started it calls it
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// The memory that one call may take [default: 128MiB]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// How long a call may take, whatever its operation says [default: 30s]
    #[arg(long, value_name = "TIME")]
    call_timeout: Option<String>,
    /// How long running calls have to finish after SIGTERM [default: 30s]
    #[arg(long, value_name = "TIME")]
    drain_timeout: Option<String>,
    /// Where compiled code is kept [default: ~/.cache/funcatron]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<String>,
    /// Where metrics are handed out, at /metrics, to whoever reaches it [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<String>,
    /// Where traces are sent to, as OTLP over HTTP: http://HOST:4318 [default: OTEL_EXPORTER_OTLP_ENDPOINT, or nowhere]
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// A TOML file with settings
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
}

impl Runner {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let mut settings = Settings::of(&self);
        let broker = settings.required("broker", BrokerUrl::parse);
        let store = settings.required("store", str::parse::<StoreUrl>);
        let token = token(&mut settings);
        let config = adjusted(runner_config(&mut settings), &mut settings);
        let telling = Telling::read(&mut settings);
        let ((broker, store), config) = match settings.finish(broker.zip(store).zip(config)) {
            Ok(required) => required,
            Err(mistakes) => return Ok(mistakes.report()),
        };
        let objects = Store::open(&store, &credentials(token.as_ref()))?;
        let (member, drain_timeout) = (config.member.clone(), config.drain_timeout);
        // Funcs have threads of their own: what is left is messages.
        telling.introduce(&[(Role::Runner, &member)]);
        telling.metrics.add(Arc::new(config.metrics.clone()));
        let config = Config { tracer: telling.tracer(Role::Runner, &member), ..config };
        let process = Process { member, broker, threads: 1, drain_timeout, telling };
        process.run(|broker, stop| async move {
            info!(%store, threads = config.threads, slots = config.slots, labels = %config.labels, member = %config.member, "running funcs");
            Ok(runner::run(config, broker, objects, stop).await?)
        })
    }
}

fn adjusted(config: Option<Config>, settings: &mut Settings) -> Option<Config> {
    let mut config = config?;
    settings.set("threads", &mut config.threads, quantity::count);
    settings.set("slots", &mut config.slots, quantity::count);
    settings.set("labels", &mut config.labels, str::parse::<Labels>);
    config.funcs_max = settings.optional("funcs-max", quantity::count);
    config.pool = settings.optional("pool", str::parse::<PoolName>);
    config.instance = settings.optional("instance", |name| Ok::<_, String>(name.to_owned()));
    settings.set("memory", &mut config.memory_max, quantity::memory);
    settings.set("call-timeout", &mut config.call_timeout, quantity::duration);
    settings.set("drain-timeout", &mut config.drain_timeout, quantity::duration);
    Some(config)
}
