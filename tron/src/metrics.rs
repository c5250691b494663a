//! What Tron tells about calls, queues, members and pools to whoever looks at metrics.

mod looks;

use std::collections::BTreeMap;

use async_trait::async_trait;
use telemetry::{Metric, Page, Source};
use tokio::time::Instant;
use wire::Role;
use wire::admin::{Deployment, MemberInfo};
use wire::broker::func_of;

use crate::Handle;
use crate::dispatcher::Counts;
use crate::stats::{Snapshot, overview};

pub(crate) use looks::Looks;

static DISPATCHED: Metric =
    Metric::counter("funcatron_tron_dispatched", &[], "Calls that were sent to the queue of a Func.");
static REFUSED: Metric = Metric::counter(
    "funcatron_tron_refused",
    &["reason"],
    "Calls from the firehose that Tron answered itself, by what was wrong.",
);
static BURIED: Metric = Metric::counter(
    "funcatron_tron_dead_lettered",
    &[],
    "Messages from the firehose that were given up: nobody could read them, or they were too late.",
);
static QUEUED: Metric = Metric::gauge(
    "funcatron_tron_queue_messages",
    &["queue"],
    "Messages that wait at the broker in a queue that all Funcs share.",
);
static FUNC_QUEUED: Metric = Metric::gauge(
    "funcatron_tron_func_queue_messages",
    &["route", "bundle"],
    "Messages that wait at the broker for a Func.",
);
static FUNC_CONSUMERS: Metric = Metric::gauge(
    "funcatron_tron_func_queue_consumers",
    &["route", "bundle"],
    "Threads of runners that take calls of a Func.",
);
static DEAD: Metric = Metric::gauge(
    "funcatron_tron_dead_letters",
    &["route"],
    "Messages that were given up and are kept; the route is 'requests' or 'results' for those of none.",
);
static MEMBERS: Metric = Metric::gauge(
    "funcatron_tron_members",
    &["role", "state"],
    "Members that were heard of lately, by whether they serve or leave.",
);
static DEPLOYMENT: Metric = Metric::gauge(
    "funcatron_tron_deployment",
    &[],
    "The number of the deployment that calls are dispatched by: a change in it is a deployment.",
);
static ROUTE: Metric = Metric::gauge(
    "funcatron_tron_route_info",
    &["route", "namespace", "host", "base_path"],
    "What a route is; always 1.",
);
static POOL: Metric = Metric::gauge(
    "funcatron_tron_pool_runners",
    &["pool", "state"],
    "Runners of a pool: wanted, running as the substrate says, and ready as they say.",
);
static ALARMS: Metric =
    Metric::gauge("funcatron_tron_alarms", &[], "What an operator has to look at; `funcatron top` says it.");

const ROLES: [Role; 3] = [Role::Frontend, Role::Tron, Role::Runner];

#[async_trait]
impl Source for Handle {
    async fn tell(&self, page: &mut Page) {
        page.declare(&[&REFUSED, &QUEUED, &FUNC_QUEUED, &FUNC_CONSUMERS, &DEAD, &ROUTE, &POOL]);
        dispatched(page, &self.shared.dispatched);
        let snapshot = self.shared.statistics.snapshot(Instant::now());
        seen(page, &snapshot);
        let status = self.shared.status.borrow().clone();
        members(page, &status.members);
        page.count(&DEPLOYMENT, &[], status.deployment);
        // Without the store there is nothing to say of what should be.
        if let Ok(state) = self.shared.log.current().await {
            routes(page, &state);
            let alarms = overview::alarms(&state, &snapshot).len();
            let unserved = overview::unserved(&state, &status.unserved).len();
            page.count(&ALARMS, &[], (alarms + unserved) as u64);
            let looks = self.shared.looks.look(&*self.shared.broker, &state).await;
            queues(page, &looks);
        }
    }
}

fn dispatched(page: &mut Page, counts: &Counts) {
    page.count(&DISPATCHED, &[], counts.dispatched());
    page.count(&BURIED, &[], counts.dead());
    for (kind, count) in counts.refused().iter() {
        page.count(&REFUSED, &[&kind.name()], count);
    }
}

fn seen(page: &mut Page, snapshot: &Snapshot) {
    for (name, queue) in &snapshot.queues {
        let (Some((route, bundle)), Some(depth)) = (func_of(name), queue.depth) else { continue };
        page.count(&FUNC_QUEUED, &[route, bundle], depth.ready as u64);
        page.count(&FUNC_CONSUMERS, &[route, bundle], depth.consumers as u64);
    }
    for pool in &snapshot.pools {
        let states = [("wanted", Some(pool.wanted)), ("running", pool.running), ("ready", Some(pool.ready))];
        for (state, count) in states.into_iter().filter_map(|(state, count)| Some((state, count?))) {
            page.count(&POOL, &[pool.name.as_str(), state], count as u64);
        }
    }
}

fn members(page: &mut Page, members: &[MemberInfo]) {
    for (role, leaving) in ROLES.into_iter().flat_map(|role| [(role, false), (role, true)]) {
        let count = members.iter().filter(|member| member.role == role && member.leaving == leaving).count();
        let state = if leaving { "leaving" } else { "serving" };
        page.count(&MEMBERS, &[&role.to_string(), state], count as u64);
    }
}

fn routes(page: &mut Page, state: &Deployment) {
    for route in &state.routes {
        let labels = [route.id.as_str(), route.namespace.as_str(), &route.host, &route.base_path];
        page.count(&ROUTE, &labels, 1);
    }
}

fn queues(page: &mut Page, looks: &BTreeMap<String, usize>) {
    for (queue, messages) in looks {
        match queue.strip_prefix("dead.") {
            Some(route) => page.count(&DEAD, &[route], *messages as u64),
            None => page.count(&QUEUED, &[queue], *messages as u64),
        }
    }
}
