//! The simulation, small and quick: that it is right, and that the policy does what it is for.

use crate::comparison::{Comparison, Kind, ours};
use crate::options::Options;
use crate::outcome::Outcome;
use crate::policies::{Fixed, Oracle};
use crate::policy::Policy;
use crate::runner::Shape;
use crate::trace::{Part, SECOND, Trace};
use crate::world::{Limits, World};

/// Some minutes of a quarter of the load.
fn small() -> Options {
    let mut options = Options::default().unwrap();
    options.part = Part { time: 0.1, load: 0.25 };
    options.settings.runners_max = 20;
    options
}

fn trace(name: &str, options: &Options) -> Trace {
    Trace::named(name, options.settings.shape, options.part, options.settings.seed).unwrap()
}

fn run(trace: &Trace, options: &Options, policy: &mut dyn Policy, begin: usize) -> Outcome {
    World::run(trace, options.settings, policy, begin, Limits::NONE).unwrap()
}

#[test]
fn fewer_are_late_than_under_a_rule_like_that_of_openfaas_for_no_more_runner_seconds() {
    let options = small();
    for name in ["flash crowd", "day"] {
        let comparison = Comparison::of(&trace(name, &options), &options).unwrap();
        let ours = comparison.outcome(Kind::Ours).unwrap();
        let tuned = comparison.outcome(Kind::OpenFaasTuned).unwrap();
        assert!(ours.late < tuned.late, "{name}: {} late, and {}", ours.late, tuned.late);
        let shipped = comparison.outcome(Kind::OpenFaas).unwrap();
        assert!(ours.runner_seconds < shipped.runner_seconds, "{name}");
        let oracle = comparison.outcome(Kind::Oracle).unwrap();
        assert!(oracle.late_part() <= 0.01 && ours.late_part() <= 0.01, "{name}: {}", ours.late_part());
    }
}

#[test]
fn the_same_seed_gives_the_same() {
    let options = small();
    let once = || {
        let outcome = run(&trace("poisson", &options), &options, &mut ours(&options, false).unwrap(), 12);
        (outcome.late, outcome.runner_seconds.to_bits(), outcome.runners)
    };
    assert_eq!(once(), once());
}

#[test]
fn runners_that_crash_lose_nothing() {
    let mut options = small();
    options.settings.crash = 20 * SECOND;
    let trace = trace("poisson", &options);
    let outcome = run(&trace, &options, &mut Fixed(14), 14);
    assert_eq!(outcome.unanswered, 0);
    assert!(outcome.runner_seconds > 13.0 * trace.seconds as f64, "those that crashed were replaced");
}

#[test]
fn a_fleet_that_is_large_enough_is_always_on_time() {
    let mut options = small();
    options.settings.crash = u64::MAX >> 8;
    let trace = trace("constant", &options);
    let mean = trace.demand().iter().sum::<f64>() / trace.seconds as f64;
    assert!((mean - 10.0).abs() < 0.1, "{mean} runners are needed");
    assert_eq!(run(&trace, &options, &mut Fixed(11), 11).late, 0);
    assert!(run(&trace, &options, &mut Fixed(9), 9).late_part() > 0.5);
}

#[test]
fn an_oracle_orders_ahead_of_what_comes() {
    let demand = [1.0, 1.0, 1.0, 5.0, 5.0, 1.0];
    let mut options = small();
    options.part = Part { time: 0.01, load: 0.1 };
    let trace = trace("constant", &options);
    let outcome = run(&trace, &options, &mut Oracle::new(&demand, 1, 1.0, 2 * SECOND), 1);
    assert_eq!(outcome.runners[..7], [1, 5, 5, 5, 5, 5, 1], "those that go finish first");
}

#[test]
fn one_func_alone_holds_three_quarters_of_the_slots() {
    let shape = Shape { threads: 2, slots: 16 };
    assert_eq!(shape.usable(1.0), 24.0);
    assert_eq!(shape.usable(0.0), 32.0);
}
