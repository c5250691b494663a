//! `funcatron tron`: one Tron of a cluster.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use runner::Inspector;
use tracing::info;
use tron::Config;
use wire::broker::BrokerUrl;
use wire::{MemberId, Role, Store, StoreUrl};

use super::{Process, credentials, runner_config, scaling, token};
use crate::settings::{AFTER_HELP, Mistakes, Settings, quantity};
use crate::telling::Telling;
use crate::{check, listener};

/// Run a Tron of a cluster: it dispatches calls and keeps the desired state
///
/// Several may run over one store. Its admin API, which the operator's commands talk to (--url), is opened by the
/// token alone: keep it off public networks. GET /api/v1/health there says that it is up.
#[derive(Debug, Default, clap::Args, serde::Serialize)]
#[command(after_help = AFTER_HELP)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Tron {
    /// RabbitMQ: amqp://user:password@host:5672/vhost, or amqps:// for TLS
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Where bundles and the deployment log lie: file:///DIRECTORY or s3://BUCKET/PREFIX (with AWS_* in the
    /// environment); the same for every Tron
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// The token that opens the admin API; better in a file, where lists of processes do not show it
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// The file that holds the token
    #[arg(long, value_name = "FILE")]
    token_file: Option<String>,
    /// Where the admin API answers [default: 127.0.0.1:3001]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// How long a call that nobody waits for may take, and how much longer its result is kept; the same as on the
    /// frontends [default: 24h]
    #[arg(long, value_name = "TIME")]
    calls_ttl: Option<String>,
    /// How long such a call may be neither in a queue nor done until it is taken for lost and begun again; longer than
    /// any call may take [default: 5m]
    #[arg(long, value_name = "TIME")]
    lost_after: Option<String>,
    /// Where results of such calls may be posted; the same as on the frontends [default: nowhere]
    #[arg(long, value_name = "HOST[:PORT],...")]
    callbacks: Option<String>,
    /// The largest bundle [default: 64MiB]
    #[arg(long, value_name = "SIZE")]
    bundle_max: Option<String>,
    /// Where code that was compiled to check it is kept [default: ~/.cache/funcatron]
    #[arg(long, value_name = "DIR")]
    cache_dir: Option<String>,
    /// A TOML file with pools of runners that this Tron starts and stops as they are needed, as processes or through
    /// Docker (docs/scaling.md); give it to several and one of them acts [default: runners are started by hand]
    #[arg(long, value_name = "FILE")]
    scaling: Option<String>,
    /// Threads that dispatch calls [default: 1]
    #[arg(long, value_name = "NUMBER")]
    threads: Option<String>,
    /// Where metrics are handed out, at /metrics, to whoever reaches it [default: on the admin API alone, to whoever has
    /// the token]
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics_listen: Option<String>,
    /// Where traces are sent to, as OTLP over HTTP: http://HOST:4318 [default: OTEL_EXPORTER_OTLP_ENDPOINT, or nowhere]
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// A TOML file with settings
    #[arg(long, value_name = "FILE")]
    config: Option<String>,
}

/// Where the admin API answers: for this machine, until somebody decides otherwise.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 3001);
/// Calls that are on their way to a runner have left within this; what has not goes to another Tron.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

const NO_TOKEN: &str = "token is missing, and whoever reaches the admin API could run anything: \
    give --token-file FILE, or FUNCATRON_TOKEN in the environment (`openssl rand -hex 32` makes one)";

/// What is left of the settings.
struct Setup {
    process: Process,
    listen: SocketAddr,
    config: Config,
    store: StoreUrl,
    /// How the check of code is set up.
    inspector: runner::Config,
    scaling: Option<scaling::Plan>,
}

impl Tron {
    pub(crate) fn run(self) -> Result<ExitCode> {
        let Setup { process, listen, mut config, store, inspector, scaling } = match self.setup() {
            Ok(setup) => setup,
            Err(mistakes) => return Ok(mistakes.report()),
        };
        let objects = Store::open(&store, &credentials(Some(&config.token)))?;
        let inspector = Inspector::new(&inspector).context("set up the check of code")?;
        config.scaling = scaling.map(scaling::Plan::open).transpose()?;
        process.run(|broker, stop| async move {
            let listener = listener::bind((listen.ip(), listen.port()), "--listen", "--listen").await?;
            info!(url = %listener::url(&listener)?, %store, member = %config.member, "serving the admin API");
            let (tron, _handle) = tron::Tron::new(config, broker, objects, check::inspect(inspector));
            Ok(tron.run(listener, stop).await?)
        })
    }

    fn setup(&self) -> Result<Setup, Mistakes> {
        let mut settings = Settings::of(self);
        let (mut listen, mut threads) = (LISTEN, 1);
        let broker = settings.required("broker", BrokerUrl::parse);
        let store = settings.required("store", own_store);
        let token = token(&mut settings);
        if !settings.is_given("token") && !settings.is_given("token-file") {
            settings.mistake(NO_TOKEN);
        }
        settings.set("listen", &mut listen, quantity::address);
        settings.set("threads", &mut threads, quantity::count);
        let bundle_max = settings.optional("bundle-max", quantity::bytes);
        let calls_ttl = settings.optional("calls-ttl", quantity::duration);
        let lost_after = settings.optional("lost-after", quantity::duration);
        let callbacks = settings.optional("callbacks", quantity::hosts);
        let inspector = runner_config(&mut settings);
        let telling = Telling::read(&mut settings);
        let scaling = settings.optional("scaling", |path| Ok::<_, Infallible>(path.to_owned()));
        let scaling = scaling.map(|path| scaling::read(&path)).transpose();
        let scaling = scaling.unwrap_or_else(|mistakes| {
            mistakes.into_iter().for_each(|mistake| settings.mistake(mistake));
            None
        });
        let ((broker, store), (token, inspector)) =
            settings.finish(broker.zip(store).zip(token.zip(inspector)))?;
        let mut config = Config::new(MemberId::generate(Role::Tron), token);
        config.bundle_bytes_max = bundle_max.unwrap_or(config.bundle_bytes_max);
        config.calls_ttl = calls_ttl.unwrap_or(config.calls_ttl);
        config.lost_after = lost_after.unwrap_or(config.lost_after);
        config.callbacks = callbacks.unwrap_or_default();
        telling.introduce(&[(Role::Tron, &config.member)]);
        config.metrics = telling.metrics.clone();
        config.tracer = telling.tracer(Role::Tron, &config.member);
        let process =
            Process { member: config.member.clone(), broker, threads, drain_timeout: DRAIN_TIMEOUT, telling };
        Ok(Setup { process, listen, config, store, inspector, scaling })
    }
}

/// A Tron writes the state: it cannot have it from another Tron.
fn own_store(text: &str) -> Result<StoreUrl, String> {
    match text.parse().map_err(|error: wire::store::BadStoreUrl| error.to_string())? {
        StoreUrl::Tron(_) => {
            Err("a Tron needs the store itself: file:///DIRECTORY or s3://BUCKET/PREFIX".into())
        }
        store => Ok(store),
    }
}
