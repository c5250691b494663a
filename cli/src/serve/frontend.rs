//! `funcatron frontend`: one frontend of a cluster.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use frontend::Config;
use tracing::info;
use tron::Token;
use wire::broker::BrokerUrl;
use wire::{Namespace, Role, Store, StoreUrl};

use super::{Process, credentials, token};
use crate::listener;
use crate::settings::{AFTER_HELP, Mistakes, Settings, quantity};
use crate::telling::Telling;

/// Serve clients of a cluster: HTTP to messages and back
///
/// It holds nothing but the calls that it waits for: start several, behind whatever spreads connections.
/// GET /_funcatron/health says that it is up.
#[derive(Debug, Default, clap::Args, serde::Serialize)]
#[command(after_help = AFTER_HELP)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Frontend {
    /// RabbitMQ: amqp://user:password@host:5672/vhost, or amqps:// for TLS
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Where large bodies, and calls that nobody waits for, are kept: file:///DIRECTORY, s3://BUCKET/PREFIX or
    /// http://TRON:PORT (a Tron's admin API)
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The token of the admin API, for a store behind a Tron
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// The file that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<String>,
    /// Where clients connect [default: 0.0.0.0:3000]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// The tenant that its calls belong to [default: default]
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Who sends a call to its Func: tron, or direct for this frontend itself, by the routes that Tron publishes
    /// [default: tron]
    #[arg(long, value_name = "tron|direct")]
    dispatch: Option<String>,
    /// How long a call may take, whatever its operation says [default: 60s]
    #[arg(long, value_name = "TIME")]
    call_timeout: Option<String>,
    /// How long a call that nobody waits for may take, and how much longer its result is kept [default: 24h]
    #[arg(long, value_name = "TIME")]
    calls_ttl: Option<String>,
    /// Where results of such calls may be posted (X-Callback-Url) [default: nowhere]
    #[arg(long, value_name = "HOST[:PORT],...")]
    callbacks: Option<String>,
    /// Calls that wait for their answers; further ones get a 503 [default: 8192]
    #[arg(long, value_name = "NUMBER")]
    in_flight_max: Option<String>,
    /// The largest body of a request [default: 1GiB]
    #[arg(long, value_name = "SIZE")]
    body_max: Option<String>,
    /// Believe the X-Forwarded- headers: every client is a proxy of ours [default: false]
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    trusts_forwarded: Option<String>,
    /// How long open requests have to finish after SIGTERM [default: 20s]
    #[arg(long, value_name = "TIME")]
    drain_timeout: Option<String>,
    /// Threads that serve connections [default: 1]
    #[arg(long, value_name = "NUMBER")]
    threads: Option<String>,
    /// Where metrics are handed out, at /metrics, to whoever reaches it [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<String>,
    /// Where traces are sent to, as OTLP over HTTP: http://HOST:4318 [default: OTEL_EXPORTER_OTLP_ENDPOINT, or nowhere]
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// Of requests that come without the decision of a client that is trusted, so many are traced [default: 1%]
    #[arg(long, value_name = "SHARE")]
    trace_sample: Option<String>,
    /// A TOML file with settings
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
}

/// Where clients connect: a frontend is for others.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 3000);

/// What the settings come to.
struct Setup {
    process: Process,
    listen: SocketAddr,
    config: Config,
    store: StoreUrl,
    token: Option<Token>,
}

impl Frontend {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let Setup { process, listen, config, store, token } = match self.setup() {
            Ok(setup) => setup,
            Err(mistakes) => return Ok(mistakes.report()),
        };
        let objects = Store::open(&store, &credentials(token.as_ref()))?;
        process.run(|broker, stop| async move {
            let listener = listener::bind((listen.ip(), listen.port()), "--listen", "--listen").await?;
            info!(url = %listener::url(&listener)?, %store, member = %config.member, "serving clients");
            Ok(frontend::run(config, listener, broker, objects, stop).await?)
        })
    }

    fn setup(&self) -> Result<Setup, Mistakes> {
        let mut settings = Settings::of(self);
        let mut config = Config::default();
        let (mut listen, mut threads) = (LISTEN, 1);
        let broker = settings.required("broker", BrokerUrl::parse);
        let store = settings.required("store", str::parse::<StoreUrl>);
        let token = token(&mut settings);
        settings.set("listen", &mut listen, quantity::address);
        settings.set("namespace", &mut config.namespace, |name| Namespace::parse(name));
        settings.set("dispatch", &mut config.dispatch, str::parse);
        settings.set("call-timeout", &mut config.call_timeout, quantity::duration);
        settings.set("calls-ttl", &mut config.calls_ttl, quantity::duration);
        settings.set("callbacks", &mut config.callbacks, quantity::hosts);
        settings.set("in-flight-max", &mut config.in_flight_max, quantity::count);
        settings.set("body-max", &mut config.limits.body_bytes_max, quantity::bytes);
        settings.set("trusts-forwarded", &mut config.trusts_forwarded, quantity::flag);
        settings.set("drain-timeout", &mut config.limits.drain_timeout, quantity::duration);
        settings.set("threads", &mut threads, quantity::count);
        let telling = Telling::read(&mut settings);
        let (broker, store) = settings.finish(broker.zip(store))?;
        let (member, drain_timeout) = (config.member.clone(), config.limits.drain_timeout);
        telling.introduce(&[(Role::Frontend, &member)]);
        telling.metrics.add(Arc::new(config.metrics.clone()));
        config.tracer = telling.tracer(Role::Frontend, &member);
        let process = Process { member, broker, threads, drain_timeout, telling };
        Ok(Setup { process, listen, config, store, token })
    }
}
