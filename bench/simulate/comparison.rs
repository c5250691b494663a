//! `Comparison`: one trace under every policy.

use anyhow::{Context, Result, anyhow};
use scaling::{Pool, PoolConfig};

use crate::options::Options;
use crate::outcome::Outcome;
use crate::policies::{Alert, Knative, OpenFaas, Ours, Rule};
use crate::reports::pool_name;
use crate::search::Search;
use crate::trace::Trace;
use crate::world::{Limits, Settings};

/// The threshold of the rule like OpenFaaS's by default: so busy may a runner be.
const OPENFAAS_THRESHOLD: f64 = 0.7;
/// What the best rule like OpenFaaS's may cost, as a part of what Funcatron does.
const OPENFAAS_BUDGET: f64 = 1.05;

/// One trace under every policy.
pub(crate) struct Comparison {
    pub(crate) trace: &'static str,
    pub(crate) about: &'static str,
    /// How many runners' worth of calls runs in each second, if none waits.
    pub(crate) demand: Vec<f64>,
    pub(crate) rows: Vec<Row>,
}

/// What one policy made of it.
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) policy: String,
    pub(crate) outcome: Outcome,
}

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    OpenFaas,
    OpenFaasTuned,
    Knative,
    Fixed,
    Oracle,
}

impl Comparison {
    /// Runs the trace under every policy; all begin with what would do at the beginning.
    pub(crate) fn of(trace: &Trace, options: &Options) -> Result<Self> {
        let settings = options.settings;
        let demand = trace.demand();
        let first: f64 = demand.iter().take(30).sum::<f64>() / 30.0;
        let begin = ((first / 0.7).ceil() as usize).clamp(settings.runners_min, settings.runners_max);
        let search = Search { trace, demand: &demand, settings, begin };
        let mut rows = Vec::new();
        let mut add = |kind, policy: String, outcome| rows.push(Row { kind, policy, outcome });
        let end = "a trace has an end";
        let ours = search.run(&mut ours(options, false)?, Limits::NONE).context(end)?;
        let budget = ours.runner_seconds * OPENFAAS_BUDGET;
        add(Kind::Ours, "funcatron".to_owned(), ours);
        if !options.is_ours_only {
            for (alert, name) in [(Alert::Sum, "as shipped"), (Alert::PerReplica, "per replica")] {
                let Settings { runners_min: min, runners_max: max, .. } = settings;
                let rule = Rule { alert, threshold: OPENFAAS_THRESHOLD, min, max };
                let outcome = search.run(&mut OpenFaas::new(rule), Limits::NONE).context(end)?;
                add(Kind::OpenFaas, format!("openfaas-like, {name}"), outcome);
            }
            if let Some((rule, outcome)) = search.openfaas(budget) {
                add(Kind::OpenFaasTuned, format!("openfaas-like, tuned: {rule}"), outcome);
            }
            let knative = search.run(&mut Knative::default(), Limits::NONE).context(end)?;
            add(Kind::Knative, "knative-like".to_owned(), knative);
            let (size, fixed) = search.fixed()?;
            add(Kind::Fixed, format!("fixed, {size}"), fixed);
            add(Kind::Oracle, "oracle".to_owned(), search.oracle()?);
        }
        Ok(Self { trace: trace.name, about: trace.about, demand, rows })
    }

    pub(crate) fn outcome(&self, kind: Kind) -> Option<&Outcome> {
        self.rows.iter().find(|row| row.kind == kind).map(|row| &row.outcome)
    }
}

/// Funcatron's own policy, for the one pool of the simulation.
pub(crate) fn ours(options: &Options, tells: bool) -> Result<Ours> {
    let settings = options.settings;
    let pool = PoolConfig {
        name: pool_name().context("a pool has a name")?,
        runners_min: settings.runners_min,
        runners_max: settings.runners_max,
        slots: settings.shape.slots * settings.shape.threads,
        threads: settings.shape.threads,
        ..options.pool.clone()
    };
    let pool = Pool::new(pool).map_err(|mistakes| anyhow!("{mistakes:?}"))?;
    Ok(Ours::new(pool, options.tick, tells))
}
