//! What operators write into the file of pools, right and wrong.

use super::*;

const RUNNER: &str =
    "[runner]\nbroker = 'amqp://runner:secret@rabbit/funcatron'\nstore = 'http://tron:3001'\n";

fn plan(text: &str) -> Result<Plan, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scaling.toml");
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    let without_path = |mistake: String| mistake.replace(&format!("{path}: "), "");
    read(path).map_err(|mistakes| mistakes.into_iter().map(without_path).collect())
}

#[test]
fn a_pool_is_what_the_file_says_and_the_rest_has_defaults() {
    let file = format!(
        "substrate = 'docker'\ncluster = 'shop'\n[docker]\nnetwork = 'back'\n{RUNNER}slots = 16\n\
         [environment]\nRUST_LOG = 'debug'\n\
         [pool.gpu]\nimage = 'funcatron:1'\nlabels = {{ gpu = 'true' }}\nrunners-max = 4\ncpus = 1.5\n\
         drain-timeout = '10s'\npanic-window = '4s'\ncost-per-hour = 2.5\n\
         schedule = [{{ days = ['mon'], from = '08:00', to = '18:00', runners-min = 2 }}]\n\
         [pool.gpu.runner]\nmemory = '256MiB'\n"
    );
    let plan = plan(&file).unwrap();
    assert_eq!((plan.kind, plan.cluster.as_str()), (Kind::Docker, "shop"));
    let [ScaledPool { policy, template }] = &plan.pools[..] else { panic!("{:?}", plan.pools) };
    let config = policy.config();
    assert_eq!((config.runners_min, config.runners_max, config.schedules.len()), (1, 4, 1));
    assert_eq!((config.threads, config.slots), (2, 32), "16 on each of the threads for 1.5 processors");
    assert_eq!(config.panic_window.as_secs(), 4);
    assert_eq!(config.drain_time, scaling::PoolConfig::DRAIN_TIME);
    assert_eq!((template.drain_timeout.as_secs(), template.network.as_deref()), (10, Some("back")));
    let variable = |name: &str| {
        let found = template.environment.iter().find(|(variable, _)| variable == name);
        found.map(|(_, value)| value.as_str())
    };
    for (name, value) in [
        ("FUNCATRON_BROKER", "amqp://runner:secret@rabbit/funcatron"),
        ("FUNCATRON_SLOTS", "16"),
        ("FUNCATRON_THREADS", "2"),
        ("FUNCATRON_MEMORY", "256MiB"),
        ("RUST_LOG", "debug"),
    ] {
        assert_eq!(variable(name), Some(value), "{name}");
    }
}

#[test]
fn what_a_pool_says_of_its_runners_comes_before_what_all_say() {
    let file = format!(
        "substrate = 'process'\n{RUNNER}slots = 16\n[pool.a]\n[pool.b]\n[pool.b.runner]\nslots = 8\n"
    );
    let plan = plan(&file).unwrap();
    let slots: Vec<usize> = plan.pools.iter().map(|pool| pool.policy.config().slots).collect();
    assert_eq!(slots, [16, 8]);
}

#[test]
fn the_token_of_a_container_comes_from_a_file_that_the_tron_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
    let file =
        format!("substrate = 'docker'\n{RUNNER}token-file = '{}'\n[pool.a]\nimage = 'f'\n", path.display());
    let plan = plan(&file).unwrap();
    let environment = &plan.pools[0].template.environment;
    assert!(
        environment.contains(&("FUNCATRON_TOKEN".to_owned(), "0123456789abcdef0123456789abcdef".to_owned()))
    );
    assert!(environment.iter().all(|(name, _)| name != "FUNCATRON_TOKEN_FILE"));
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let file = "substrate = 'docker'\ncluster = 'A b'\n[runner]\nbroker = 'amqp://r'\nslot = 3\nlabels = 'a=b'\n\
        [pool.a]\nrunners-min = 5\nrunners-max = 3\ntarget = 7.0\npanic-window = 'soon'\nmemory-max = '1 elephant'\n\
        schedule = [{ from = '8', to = '18:00', runners-min = 1 }]\n[pool.B]\nimage = 'f'\n";
    let mistakes = plan(file).unwrap_err();
    for expected in [
        "cluster: a cluster's name must be",
        "pool.B: a pool's name must be",
        "pool.a: image is missing",
        "pool.a: slot in [runner]: a runner has no such setting",
        "pool.a: labels in [runner]: it follows from the pool",
        "pool.a: store in [runner] is missing",
        "pool.a: runners-min is 5, over runners-max, 3",
        "pool.a: target is 7",
        "pool.a: panic-window: ",
        "pool.a: memory-max: ",
        "pool.a: schedule: ",
    ] {
        assert!(
            mistakes.iter().any(|mistake| mistake.starts_with(expected)),
            "{expected} is not in {mistakes:#?}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_shows_no_password() {
    for file in [
        "substrate = 'docker'\n[runner]\nbroker = amqp://u:secret@h",
        "substrate = 'mesos'",
        "substrate = 'docker'\npools = 3",
        "substrate = 'docker'\n[pool.a]\nmin = 3",
        "substrate = 'process'\n[runner]\nbroker = 'a'\nstore = 'b'",
    ] {
        let told = plan(file).unwrap_err().join("\n");
        assert!(!told.is_empty() && !told.contains("secret"), "{told}");
    }
}
