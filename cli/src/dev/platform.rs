//! `Platform`: frontend, Tron and runner in this process, over the embedded broker.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use runner::Inspector;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wire::broker::Embedded;
use wire::egress::AllowList;
use wire::{Broker, MemberId, Role, Store, Timestamp};

use super::listeners::Listeners;
use super::state::State;
use crate::check;
use crate::signals::{INTERRUPTED, Signals};
use crate::telling::Telling;

/// The three services and what else must not end before them.
pub(super) struct Platform {
    handle: tron::Handle,
    broker: Arc<dyn Broker>,
    tasks: JoinSet<(&'static str, Result<()>)>,
    /// Ends the frontend, whose calls still need the others.
    front_stop: CancellationToken,
    stop: CancellationToken,
}

const FRONTEND: &str = "the frontend";

impl Platform {
    /// Starts everything. Results may be posted to `callbacks`.
    pub(super) async fn start(
        listeners: Listeners,
        state: &State,
        callbacks: AllowList,
        telling: Telling,
    ) -> Result<Self> {
        let broker: Arc<dyn Broker> = Arc::new(Embedded::new());
        let store = Store::directory(&state.store()).context("open the store")?;
        // They were in the memory of an earlier run.
        store.delete_calls(Timestamp::now()).await.context("forget the calls of an earlier run")?;
        let cache_dir = check::cache_dir().unwrap_or_else(|| state.cache());
        let mut runner = runner::Config { dev: true, ..check::runner_config(cache_dir)? };
        let inspect = check::inspect(Inspector::new(&runner)?);
        let mut frontend = frontend::Config { callbacks: callbacks.clone(), ..frontend::Config::default() };
        let mut tron = tron::Config {
            callbacks,
            ..tron::Config::new(MemberId::generate(Role::Tron), state.token.clone())
        };
        let members =
            [(Role::Frontend, &frontend.member), (Role::Tron, &tron.member), (Role::Runner, &runner.member)];
        telling.introduce(&members);
        let [of_frontend, of_tron, of_runner] = members.map(|(role, member)| telling.tracer(role, member));
        (frontend.tracer, tron.tracer, runner.tracer) = (of_frontend, of_tron, of_runner);
        tron.metrics = telling.metrics.clone();
        tron.metrics.add(Arc::new(frontend.metrics.clone()));
        tron.metrics.add(Arc::new(runner.metrics.clone()));
        let (tron, handle) = tron::Tron::new(tron, broker.clone(), store.clone(), inspect);

        let (front_stop, stop) = (CancellationToken::new(), CancellationToken::new());
        let Listeners { front, admin } = listeners;
        let mut platform = Self { handle, broker: broker.clone(), tasks: JoinSet::new(), front_stop, stop };
        let front_stop = platform.front_stop.clone();
        let frontend = frontend::run(frontend, front, broker.clone(), store.clone(), front_stop);
        platform.spawn(FRONTEND, async { Ok(frontend.await?) });
        let tron = tron.run(admin, platform.stop.clone());
        platform.spawn("Tron", async { Ok(tron.await?) });
        let runner = runner::run(runner, broker, store, platform.stop.clone());
        platform.spawn("the runner", async { Ok(runner.await?) });
        let telling = telling.start(platform.stop.clone()).await?;
        platform.spawn("telling of it", async {
            telling.await;
            Ok(())
        });
        Ok(platform)
    }

    /// What can be asked of Tron.
    pub(super) fn handle(&self) -> tron::Handle {
        self.handle.clone()
    }

    /// What the services talk over.
    pub(super) fn broker(&self) -> &dyn Broker {
        &*self.broker
    }

    /// Runs a task that the platform cannot do without.
    pub(super) fn spawn(
        &mut self,
        name: &'static str,
        task: impl Future<Output = Result<()>> + Send + 'static,
    ) {
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Told to the tasks when they are to end.
    pub(super) fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Waits until something ends that should not; why it did. Cancel-safe.
    pub(super) async fn ended(&mut self) -> anyhow::Error {
        match self.tasks.join_next().await {
            Some(Ok((name, Err(error)))) => error.context(format!("{name} failed")),
            Some(Ok((name, Ok(())))) => anyhow!("{name} ended before its time"),
            Some(Err(error)) => anyhow!(error).context("a task broke off"),
            None => anyhow!("nothing runs any more"),
        }
    }

    /// Lets running calls finish, then ends the rest. Ctrl-C after that ends the process at once.
    pub(super) async fn drain(mut self, signals: &mut Signals) -> Result<()> {
        tokio::select! {
            drained = self.wind_down() => drained,
            () = signals.at_once() => std::process::exit(INTERRUPTED),
        }
    }

    async fn wind_down(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        self.front_stop.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            // The frontend is first to end; whoever else does has failed, and the rest is of no use.
            self.stop.cancel();
            let (name, result) = ended.context("a task broke off")?;
            outcome = outcome.and(result.with_context(|| format!("{name} failed")));
        }
        outcome
    }
}
