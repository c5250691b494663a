//! `Telling`: what a process tells of itself, and to whom.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use telemetry::{Endpoint, Metrics, Process, Shipping, Tracer, Traces};
use tokio_util::sync::CancellationToken;
use tracing::info;
use wire::{MemberId, Percent, Role};

use crate::listener;
use crate::settings::{Settings, quantity};

/// The variable of the environment that all who speak OTLP read.
pub(crate) const OTEL_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// What a process tells of itself.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    metrics_listen: Option<SocketAddr>,
    pub(crate) metrics: Metrics,
    traces: Traces,
    shipping: Option<Shipping>,
}

impl Telling {
    /// As the settings of a service want it.
    pub(crate) fn read(settings: &mut Settings) -> Self {
        let metrics_listen = settings.optional("metrics-listen", quantity::address);
        let mut endpoint = settings.optional("otlp-endpoint", str::parse::<Endpoint>);
        if !settings.is_given("otlp-endpoint")
            && let Some(url) = std::env::var(OTEL_ENDPOINT).ok().filter(|url| !url.is_empty())
        {
            match url.parse() {
                Ok(named) => endpoint = Some(named),
                Err(mistake) => settings.mistake(format!("{OTEL_ENDPOINT}: {mistake}")),
            }
        }
        let mut sample = SAMPLE;
        settings.set("trace-sample", &mut sample, str::parse::<Percent>);
        Self { metrics_listen, ..Self::tracing(endpoint, sample) }
    }

    /// With traces that go to this endpoint, if there is one.
    pub(crate) fn tracing(endpoint: Option<Endpoint>, sample: Percent) -> Self {
        let (traces, shipping) = match endpoint {
            Some(endpoint) => {
                let (traces, shipping) = Traces::to(endpoint, sample);
                (traces, Some(shipping))
            }
            None => (Traces::default(), None),
        };
        let metrics = Metrics::default();
        metrics.add(Arc::new(traces.clone()));
        Self { metrics_listen: None, metrics, traces, shipping }
    }

    /// Says that this process is these members.
    pub(crate) fn introduce(&self, members: &[(Role, &MemberId)]) {
        let members = members.iter().map(|(role, member)| (*role, (*member).clone())).collect();
        self.metrics.add(Arc::new(Process::new(members, env!("CARGO_PKG_VERSION"))));
    }

    /// Where a member leaves its spans.
    pub(crate) fn tracer(&self, role: Role, member: &MemberId) -> Tracer {
        self.traces.tracer(role, member)
    }

    /// Tells until `stop`, and then what is left. To nobody, if nobody is to ask.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub(crate) async fn start(self, stop: CancellationToken) -> Result<impl Future<Output = ()> + use<>> {
        let listener = match self.metrics_listen {
            Some(address) => {
                let flag = "--metrics-listen";
                let listener = listener::bind((address.ip(), address.port()), flag, flag).await?;
                info!(metrics = %listener::url(&listener)?, "telling about itself");
                Some(listener)
            }
            None => None,
        };
        let Self { metrics, shipping, .. } = self;
        Ok(async move {
            let serving = async {
                if let Some(listener) = listener {
                    metrics.serve(listener, stop.clone()).await;
                }
            };
            let shipping = async {
                if let Some(shipping) = shipping {
                    shipping.run(stop.clone()).await;
                }
            };
            tokio::join!(serving, shipping, stop.cancelled());
        })
    }
}

/// Of requests whose sender has not decided: enough to see what is usual, and little to keep.
const SAMPLE: Percent = Percent::ONE;
