//! The desired state and how it changes: pure functions from routes to routes.

use std::collections::{BTreeMap, BTreeSet};

use swagger::{BasePath, HostPattern};
use wire::admin::{BundleInfo, DeployRequest, Deployment};
use wire::{BundleSha, Namespace, Route, RouteId, Trial, WeightedBundle};

use crate::Rejection;

/// The weights of a route add up to this.
const PERCENT: u32 = 100;

/// What a change makes of the desired state.
#[derive(Debug)]
pub(crate) struct Change {
    /// What was done, in words.
    pub(crate) action: String,
    /// Every route.
    pub(crate) routes: Vec<Route>,
    /// Whether it is worth an entry of the log although every route stays as it is.
    pub(crate) again: bool,
}

/// The route that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) id: RouteId,
    pub(crate) namespace: Namespace,
    host: HostPattern,
    base_path: BasePath,
}

impl Claim {
    /// The route that this bundle is to serve: the request's own, or else the document's.
    pub(crate) fn of(request: &DeployRequest, info: &BundleInfo) -> Result<Self, Rejection> {
        let host = HostPattern::parse(request.host.as_ref().unwrap_or(&info.host))
            .map_err(|bad| Rejection::fault("body", "/host", bad.to_string()))?;
        let base_path = BasePath::parse(request.base_path.as_ref().unwrap_or(&info.base_path))
            .map_err(|bad| Rejection::fault("body", "/base_path", bad.to_string()))?;
        let namespace = Namespace::default();
        let id = RouteId::of(&namespace, &host.to_string(), &base_path.to_string());
        Ok(Self { id, namespace, host, base_path })
    }
}

/// The routes after this bundle was deployed. `titles` are those of the bundles on the claimed route;
/// one that is missing belongs to a bundle that cannot be read, and counts as another.
pub(crate) fn deploy(
    state: &Deployment,
    request: &DeployRequest,
    info: &BundleInfo,
    titles: &BTreeMap<BundleSha, String>,
) -> Result<Change, Rejection> {
    let claim = Claim::of(request, info)?;
    check_settings(request)?;
    let before = state.routes.iter().find(|route| route.id == claim.id);
    if let Some(before) = before.filter(|_| !request.replace) {
        check_lineage(before, info, titles)?;
    }
    check_trial(request, before)?;
    check_shared(request, before)?;
    let ours = WeightedBundle {
        sha: info.sha.clone(),
        weight: request.weight.unwrap_or(PERCENT),
        placement: info.placement.clone(),
        trial: request.trial.as_ref().map(|trial| begin(state, &claim.id, &info.sha, trial)),
    };
    let route = Route {
        bundles: share(before, ours),
        props: request.props.clone().or_else(|| Some(before?.props.clone())).unwrap_or_default(),
        outbound: request.outbound.clone().or_else(|| Some(before?.outbound.clone())).unwrap_or_default(),
        id: claim.id,
        namespace: claim.namespace,
        host: claim.host.to_string(),
        base_path: claim.base_path.to_string(),
    };
    let action = format!(
        "deploy {} {} ({}) at {}{}",
        info.title,
        info.version,
        info.sha.short(),
        route.host,
        route.base_path
    );
    let mut routes: Vec<Route> = state.routes.iter().filter(|other| other.id != route.id).cloned().collect();
    routes.push(route);
    routes.sort_by(|a, b| (&a.host, &a.base_path).cmp(&(&b.host, &b.base_path)));
    Ok(Change { action, routes, again: false })
}

/// The routes without this one.
pub(crate) fn undeploy(state: &Deployment, id: &RouteId) -> Result<Change, Rejection> {
    let (gone, routes): (Vec<Route>, Vec<Route>) =
        state.routes.iter().cloned().partition(|route| route.id == *id);
    let gone = gone.first().ok_or_else(|| Rejection::NotFound(format!("there is no route {id}")))?;
    let action = format!("undeploy {}{}", gone.host, gone.base_path);
    Ok(Change { action, routes, again: false })
}

/// The routes without this bundle, if it is still on that trial there: its share goes to the others.
pub(crate) fn end_trial(state: &Deployment, id: &RouteId, sha: &BundleSha, began: u64, why: &str) -> Change {
    let mut routes = state.routes.clone();
    let mut action = String::new();
    if let Some(route) = routes.iter_mut().find(|route| route.id == *id) {
        let is_on_it = |bundle: &WeightedBundle| {
            bundle.sha == *sha && bundle.trial.as_ref().is_some_and(|trial| trial.began == began)
        };
        let (ended, rest): (Vec<&WeightedBundle>, Vec<&WeightedBundle>) =
            route.bundles.iter().partition(|bundle| is_on_it(bundle));
        if !ended.is_empty() && !rest.is_empty() {
            action = format!("take {} off {}{}: {why}", sha.short(), route.host, route.base_path);
            route.bundles = scale(&rest, PERCENT);
        }
    }
    Change { action, routes, again: false }
}

/// The routes of an earlier deployment. What was on trial then is on trial anew.
pub(crate) fn rollback(state: &Deployment, target: &Deployment) -> Change {
    let action = format!("roll back to {}", target.number);
    let mut routes = target.routes.clone();
    for Route { id, bundles, .. } in &mut routes {
        for WeightedBundle { sha, trial, .. } in bundles {
            *trial = trial.as_ref().map(|trial| begin(state, id, sha, trial));
        }
    }
    Change { action, routes, again: false }
}

/// Whether a route of this state names the bundle.
pub(crate) fn uses(state: &Deployment, sha: &BundleSha) -> bool {
    state.routes.iter().any(|route| route.bundles.iter().any(|bundle| bundle.sha == *sha))
}

fn check_settings(request: &DeployRequest) -> Result<(), Rejection> {
    if request.weight.is_some_and(|weight| weight > PERCENT) {
        return Err(Rejection::fault("body", "/weight", "it is over 100 percent"));
    }
    for (index, target) in request.outbound.iter().flatten().enumerate() {
        if HostPattern::parse(target).map_or(true, |host| host == HostPattern::ANY) {
            let pointer = format!("/outbound/{index}");
            return Err(Rejection::fault("body", &pointer, "it is neither a host nor host:port"));
        }
    }
    Ok(())
}

/// Refuses a trial beside nothing that is trusted, or that would leave nothing of it.
fn check_trial(request: &DeployRequest, before: Option<&Route>) -> Result<(), Rejection> {
    if request.trial.is_none() {
        return Ok(());
    }
    let is_trusted = |bundle: &WeightedBundle| bundle.sha != request.sha && bundle.trial.is_none();
    if !before.is_some_and(|route| route.bundles.iter().any(is_trusted)) {
        let why = "the route has no other bundle that is trusted, to compare this one with";
        return Err(Rejection::fault("body", "/trial", why));
    }
    if request.weight.unwrap_or(PERCENT) >= PERCENT {
        return Err(Rejection::fault("body", "/weight", "a bundle on trial cannot have all calls"));
    }
    Ok(())
}

/// Refuses a trial that would change what the bundles that are trusted are given: it would not be undone when it ends.
fn check_shared(request: &DeployRequest, before: Option<&Route>) -> Result<(), Rejection> {
    let Some(before) = before.filter(|_| request.trial.is_some()) else { return Ok(()) };
    let other_props = request.props.as_ref().is_some_and(|props| *props != before.props);
    let hosts = |outbound: &[String]| outbound.iter().cloned().collect::<BTreeSet<String>>();
    let other_outbound =
        request.outbound.as_ref().is_some_and(|outbound| hosts(outbound) != hosts(&before.outbound));
    for (is_other, pointer, what) in
        [(other_props, "/props", "props"), (other_outbound, "/outbound", "hosts")]
    {
        if is_other {
            let why = format!(
                "a bundle on trial shares the {what} of its route, and other ones would be those of all calls; \
                 deploy without a trial to change them"
            );
            return Err(Rejection::fault("body", pointer, why));
        }
    }
    Ok(())
}

/// A trial that begins with the next deployment, unless the bundle is on that trial already.
fn begin(state: &Deployment, id: &RouteId, sha: &BundleSha, trial: &Trial) -> Trial {
    let routes = state.routes.iter().filter(|route| route.id == *id);
    let bundle = routes.flat_map(|route| &route.bundles).find(|bundle| bundle.sha == *sha);
    let known = bundle.and_then(|bundle| bundle.trial.as_ref()).filter(|known| known.asks_as(trial));
    // No two states of the log have one number, so that no two trials have.
    Trial { began: known.map_or(state.number + 1, |known| known.began), ..trial.clone() }
}

/// Refuses to take a route from another API by accident.
fn check_lineage(
    before: &Route,
    info: &BundleInfo,
    titles: &BTreeMap<BundleSha, String>,
) -> Result<(), Rejection> {
    for bundle in &before.bundles {
        let title = titles.get(&bundle.sha);
        if title.is_none_or(|title| *title != info.title) {
            return Err(Rejection::Conflict(format!(
                "{}{} is held by {:?} ({}); deploy with replace (--replace) to take it over",
                before.host,
                before.base_path,
                title.map_or("an unreadable bundle", String::as_str),
                bundle.sha.short(),
            )));
        }
    }
    Ok(())
}

/// Gives the bundle its percentage; the others keep the rest in their old proportion.
fn share(before: Option<&Route>, ours: WeightedBundle) -> Vec<WeightedBundle> {
    let others: Vec<&WeightedBundle> =
        before.iter().flat_map(|route| &route.bundles).filter(|bundle| bundle.sha != ours.sha).collect();
    if ours.weight == PERCENT || others.is_empty() {
        return vec![WeightedBundle { weight: PERCENT, ..ours }];
    }
    let mut shared = scale(&others, PERCENT.saturating_sub(ours.weight));
    shared.push(ours);
    shared
}

/// The bundles with weights in the same proportion that add up to `sum`; cut by cumulative shares,
/// so that no rounding is lost.
fn scale(bundles: &[&WeightedBundle], sum: u32) -> Vec<WeightedBundle> {
    let count = u64::try_from(bundles.len()).unwrap_or(u64::MAX);
    let total: u64 = bundles.iter().map(|bundle| u64::from(bundle.weight)).sum();
    // Bundles that had nothing between them share alike.
    let old = |bundle: &WeightedBundle| if total == 0 { 1 } else { u64::from(bundle.weight) };
    let total = if total == 0 { count } else { total };
    let mut seen = 0;
    let mut given = 0;
    let mut scaled = Vec::with_capacity(bundles.len());
    for &bundle in bundles {
        seen += old(bundle);
        let up_to = u32::try_from(u64::from(sum) * seen / total).unwrap_or(sum);
        scaled.push(WeightedBundle { weight: up_to - given, ..bundle.clone() });
        given = up_to;
    }
    scaled
}

#[cfg(test)]
pub(crate) mod tests;
