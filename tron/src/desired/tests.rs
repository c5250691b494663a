//! How the desired state changes.

use proptest::prelude::*;
use wire::{Labels, Percent, Timestamp, Trial};

use super::*;

pub(crate) fn sha(n: u8) -> BundleSha {
    BundleSha::of(&[n])
}

/// A route that bundle `n` serves alone.
pub(crate) fn route(host: &str, base_path: &str, n: u8) -> Route {
    let namespace = Namespace::default();
    Route {
        id: RouteId::of(&namespace, host, base_path),
        namespace,
        host: host.to_owned(),
        base_path: base_path.to_owned(),
        bundles: vec![WeightedBundle { sha: sha(n), weight: 100, placement: Labels::default(), trial: None }],
        props: serde_json::Map::new(),
        outbound: Vec::new(),
    }
}

pub(crate) fn state(number: u64, routes: Vec<Route>) -> Deployment {
    Deployment { number, at: Timestamp(number), by: "admin".into(), action: "test".into(), routes }
}

pub(crate) fn request(n: u8) -> DeployRequest {
    DeployRequest {
        sha: sha(n),
        host: None,
        base_path: None,
        props: None,
        outbound: None,
        weight: None,
        trial: None,
        replace: false,
    }
}

fn info(n: u8, title: &str) -> BundleInfo {
    BundleInfo {
        sha: sha(n),
        size: 1,
        title: title.into(),
        version: "1".into(),
        host: "*".into(),
        base_path: "/a".into(),
        code: "js".into(),
        placement: Labels::default(),
        operations: Vec::new(),
    }
}

fn titles(all: &[(u8, &str)]) -> BTreeMap<BundleSha, String> {
    all.iter().map(|(n, title)| (sha(*n), (*title).to_owned())).collect()
}

fn weights(change: &Change) -> Vec<u32> {
    change.routes.iter().flat_map(|route| &route.bundles).map(|bundle| bundle.weight).collect()
}

#[test]
fn a_new_version_replaces_the_old_one_and_keeps_its_settings() {
    let mut before = route("*", "/a", 0);
    before.props.insert("colour".into(), "blue".into());
    before.outbound = vec!["api.example:443".into()];
    let change =
        deploy(&state(1, vec![before.clone()]), &request(1), &info(1, "A"), &titles(&[(0, "A")])).unwrap();
    assert_eq!(
        change.routes,
        [Route {
            bundles: vec![WeightedBundle {
                sha: sha(1),
                weight: 100,
                placement: Labels::default(),
                trial: None
            }],
            ..before
        }]
    );
}

#[test]
fn another_api_is_named_and_not_pushed_aside() {
    let state = state(1, vec![route("*", "/a", 0)]);
    let refused = deploy(&state, &request(1), &info(1, "B"), &titles(&[(0, "A")])).unwrap_err();
    assert_eq!(refused.kind(), wire::ProblemKind::Conflict);
    assert!(refused.to_string().contains("\"A\""), "{refused}");
    let forced = DeployRequest { replace: true, ..request(1) };
    assert!(deploy(&state, &forced, &info(1, "B"), &titles(&[(0, "A")])).is_ok());
}

#[test]
fn a_base_path_below_another_is_no_conflict() {
    let request = DeployRequest { base_path: Some("/a/b/".into()), ..request(1) };
    let change = deploy(&state(1, vec![route("*", "/a", 0)]), &request, &info(1, "B"), &titles(&[])).unwrap();
    assert_eq!(change.routes, [route("*", "/a", 0), route("*", "/a/b", 1)]);
}

#[test]
fn a_canary_takes_its_share_and_the_rest_stays() {
    let first = state(1, vec![route("*", "/a", 0)]);
    let all = titles(&[(0, "A"), (1, "A"), (2, "A")]);
    let canary = |n, weight| DeployRequest { weight: Some(weight), ..request(n) };
    let second = deploy(&first, &canary(1, 10), &info(1, "A"), &all).unwrap();
    assert_eq!(weights(&second), [90, 10]);
    let third = deploy(&state(2, second.routes), &canary(2, 50), &info(2, "A"), &all).unwrap();
    assert_eq!(weights(&third), [45, 5, 50]);
    let again = deploy(&state(3, third.routes), &canary(1, 0), &info(1, "A"), &all).unwrap();
    assert_eq!(weights(&again), [47, 53, 0]);
    assert_eq!(weights(&deploy(&first, &canary(0, 10), &info(0, "A"), &all).unwrap()), [100]);
}

#[test]
fn settings_that_cannot_be_are_pointed_at() {
    let refused = |request: DeployRequest| {
        let rejection = deploy(&state(0, vec![]), &request, &info(1, "A"), &titles(&[])).unwrap_err();
        rejection.faults().first().unwrap().pointer.clone()
    };
    assert_eq!(refused(DeployRequest { host: Some("a b".into()), ..request(1) }), "/host");
    assert_eq!(refused(DeployRequest { base_path: Some("a".into()), ..request(1) }), "/base_path");
    assert_eq!(refused(DeployRequest { weight: Some(101), ..request(1) }), "/weight");
    let outbound = Some(vec!["a.example".into(), "http://b".into()]);
    assert_eq!(refused(DeployRequest { outbound, ..request(1) }), "/outbound/1");
}

#[test]
fn an_undeployed_route_is_gone_and_a_second_time_not_found() {
    let before = state(1, vec![route("*", "/a", 0), route("*", "/b", 1)]);
    let id = route("*", "/a", 0).id;
    let change = undeploy(&before, &id).unwrap();
    assert_eq!(change.routes, [route("*", "/b", 1)]);
    let refused = undeploy(&state(2, change.routes), &id).unwrap_err();
    assert_eq!(refused.kind(), wire::ProblemKind::NotFound);
}

fn trial() -> Trial {
    let share = |text: &str| text.parse().unwrap();
    Trial {
        mirror: share("10%"),
        failures_max: share("1%"),
        differences_max: Percent::NONE,
        calls_min: 20,
        began: 99,
    }
}

#[test]
fn a_trial_that_ends_gives_the_share_back_and_ends_once() {
    let before = state(1, vec![route("*", "/a", 0)]);
    let canary = DeployRequest { weight: Some(10), trial: Some(trial()), ..request(1) };
    let titles = titles(&[(0, "a")]);
    let tried = deploy(&before, &canary, &info(1, "a"), &titles).unwrap();
    let began = Trial { began: 2, ..trial() };
    assert_eq!((weights(&tried), &tried.routes[0].bundles[1].trial), (vec![90, 10], &Some(began)));

    let id = &before.routes[0].id;
    let ended = end_trial(&state(2, tried.routes.clone()), id, &sha(1), 2, "3 of 25 copies differ");
    assert_eq!(ended.routes, before.routes);
    assert_eq!(ended.action, format!("take {} off */a: 3 of 25 copies differ", sha(1).short()));
    let (gone, there) = (state(3, ended.routes), state(2, tried.routes));
    for (sha, began, state) in [(sha(1), 2, &gone), (sha(0), 2, &there), (sha(1), 1, &there)] {
        assert_eq!(end_trial(state, id, &sha, began, "late").routes, state.routes, "it is not on that trial");
    }
}

#[test]
fn a_trial_begins_once_and_anew_when_it_asks_for_something_else_or_comes_back() {
    let titles = titles(&[(0, "a"), (1, "a")]);
    let canary = |trial| DeployRequest { weight: Some(10), trial: Some(trial), ..request(1) };
    let began = |routes: &[Route]| routes[0].bundles[1].trial.as_ref().unwrap().began;
    let tried = |before: &Deployment, trial| {
        let change = deploy(before, &canary(trial), &info(1, "a"), &titles).unwrap();
        state(before.number + 1, change.routes)
    };
    let alone = state(4, vec![route("*", "/a", 0)]);
    let first = tried(&alone, trial());
    let same = tried(&first, Trial { began: 3, ..trial() });
    assert_eq!((began(&first.routes), &same.routes), (5, &first.routes));
    let stricter = tried(&same, Trial { calls_min: 1, ..trial() });
    assert_eq!(began(&stricter.routes), 7);
    assert_eq!(began(&rollback(&state(9, alone.routes), &first).routes), 10);
    assert_eq!(rollback(&first, &first).routes, first.routes);
}

#[test]
fn a_trial_that_would_change_the_settings_of_all_calls_is_refused() {
    let mut alone = route("*", "/a", 0);
    alone.props.insert("db".into(), "old".into());
    alone.outbound.extend(["db.example".into(), "mail.example".into()]);
    let alone = state(1, vec![alone]);
    let props = |db: &str| Some(serde_json::Map::from_iter([("db".to_owned(), db.into())]));
    let canary = DeployRequest { weight: Some(10), trial: Some(trial()), ..request(1) };
    let tried = |request: &DeployRequest| {
        deploy(&alone, request, &info(1, "a"), &titles(&[(0, "a")])).map(|change| weights(&change))
    };
    for (request, pointer) in [
        (DeployRequest { props: props("new"), ..canary.clone() }, "/props"),
        (DeployRequest { outbound: Some(vec!["new.example".into()]), ..canary.clone() }, "/outbound"),
    ] {
        let refused = tried(&request).unwrap_err();
        assert_eq!(refused.faults()[0].pointer, pointer);
        assert!(refused.to_string().contains("deploy without a trial"), "{refused}");
    }
    let in_another_order = Some(vec!["mail.example".into(), "db.example".into()]);
    let same = DeployRequest { props: props("old"), outbound: in_another_order, ..canary };
    assert_eq!(tried(&same).unwrap(), [90, 10]);
}

#[test]
fn a_trial_needs_a_bundle_that_is_trusted() {
    let alone = state(1, vec![route("*", "/a", 0)]);
    let titles = titles(&[(0, "a"), (1, "a")]);
    let refused =
        |request: &DeployRequest, number: u8| match deploy(&alone, request, &info(number, "a"), &titles) {
            Err(Rejection::Unusable { faults, .. }) => faults[0].pointer.clone(),
            other => panic!("{other:?}"),
        };
    let tried = |n, weight| DeployRequest { weight, trial: Some(trial()), ..request(n) };
    assert_eq!(refused(&tried(0, Some(10)), 0), "/trial", "it would be compared with itself");
    assert_eq!(refused(&tried(1, None), 1), "/weight");
    let elsewhere = DeployRequest { base_path: Some("/b".into()), ..tried(1, Some(0)) };
    assert_eq!(refused(&elsewhere, 1), "/trial");
}

proptest! {
    #[test]
    fn weights_always_add_up(deploys in proptest::collection::vec((0u8..5, 0u32..=100), 1..20)) {
        let mut now = state(0, vec![]);
        let all = titles(&[(0, "A"), (1, "A"), (2, "A"), (3, "A"), (4, "A")]);
        for (n, weight) in deploys {
            let request = DeployRequest { weight: Some(weight), ..request(n) };
            let change = deploy(&now, &request, &info(n, "A"), &all).unwrap();
            prop_assert_eq!(weights(&change).iter().sum::<u32>(), 100);
            now = state(now.number + 1, change.routes);
        }
    }
}
