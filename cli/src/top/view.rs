//! `View`: what the platform does, in lines of text. Pure.

use std::cmp::Ordering;

use wire::PoolReport;
use wire::admin::{RouteStats, Stats, TrialReport};

use super::figures::{count, money};
use super::table::{self, shortened};
use crate::clock;
use crate::output::printable;
use crate::trials;

/// What there is to show.
pub(super) struct View<'s> {
    pub(super) stats: &'s Stats,
    /// Why it is not newer.
    pub(super) trouble: Option<&'s str>,
}

/// How much can be shown.
#[derive(Clone, Copy)]
pub(super) enum Room {
    Endless,
    Screen { width: usize, height: usize },
}

impl View<'_> {
    /// As many lines as there is room for; the busiest routes first.
    pub(super) fn lines(&self, room: Room) -> Vec<String> {
        let (width, height) = match room {
            Room::Endless => (None, usize::MAX),
            Room::Screen { width, height } => (Some(width), height),
        };
        let mut above = vec![self.summary()];
        above.extend(self.trouble.map(|trouble| format!("! {}", printable(trouble))));
        above.push(String::new());
        let below = self.below();
        let mut routes: Vec<&RouteStats> = self.stats.routes.iter().collect();
        routes.sort_by(|a, b| busier(a, b));
        // The header of the table is a line, and so is what says that some were left out.
        let rows_max = height.saturating_sub(above.len() + below.len() + 1);
        let left_out = if routes.len() > rows_max { routes.len() - rows_max.saturating_sub(1) } else { 0 };
        routes.truncate(routes.len() - left_out);
        let mut lines = above;
        lines.extend(table::lines(&routes, width));
        if left_out > 0 {
            lines.push(format!("and {left_out} more"));
        }
        lines.extend(below);
        lines.truncate(height);
        lines.iter().map(|line| shortened(line.trim_end(), width.unwrap_or(usize::MAX))).collect()
    }

    fn summary(&self) -> String {
        let Stats { at, routes, pools, .. } = self.stats;
        let rate = routes.iter().map(|route| route.rate).sum();
        let mut parts =
            vec![clock::time_of_day(*at), plural(routes.len(), "route"), format!("{} calls/s", count(rate))];
        if !pools.is_empty() {
            let ready = pools.iter().map(|pool| pool.ready).sum();
            parts.push(format!("{} ready", plural(ready, "pooled runner")));
        }
        parts.join("   ")
    }

    fn on_trial(&self, report: &TrialReport) -> String {
        let route = self.stats.routes.iter().find(|route| route.id == report.route);
        let place = route.map(|route| printable(&route.base_path)).unwrap_or_default();
        format!("{place} {}", trials::told(report))
    }

    /// The pools with their reasoning, and what needs a look.
    fn below(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for pool in &self.stats.pools {
            lines.extend([String::new(), pool_line(pool), format!("  {}", printable(&pool.why))]);
        }
        if !self.stats.trials.is_empty() {
            lines.push(String::new());
            lines.extend(self.stats.trials.iter().map(|trial| format!("on trial: {}", self.on_trial(trial))));
        }
        if !self.stats.alarms.is_empty() {
            lines.push(String::new());
            lines.extend(self.stats.alarms.iter().map(|alarm| format!("! {}", printable(alarm))));
        }
        lines
    }
}

fn pool_line(pool: &PoolReport) -> String {
    let PoolReport { name, labels, substrate, runners_min, runners_max, wanted, running, ready, .. } = pool;
    let there = running.map_or_else(|| "an unknown number".to_owned(), |running| running.to_string());
    let mut parts = vec![format!("pool {name}: {ready} of {there} ready, {wanted} wanted")];
    parts.push(format!("{runners_min} to {runners_max} allowed"));
    parts.push(printable(substrate));
    if !labels.is_empty() {
        parts.push(labels.to_string());
    }
    if pool.cost_per_hour > 0.0 {
        parts.push(format!("{} an hour each", money(pool.cost_per_hour)));
    }
    parts.join(", ")
}

/// More calls first, then more that wait; then by name.
fn busier(a: &RouteStats, b: &RouteStats) -> Ordering {
    let by_rate = b.rate.total_cmp(&a.rate);
    let by_queue = || (b.queued, b.waiting).cmp(&(a.queued, a.waiting));
    by_rate.then_with(by_queue).then_with(|| (&a.host, &a.base_path).cmp(&(&b.host, &b.base_path)))
}

fn plural(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

#[cfg(test)]
mod tests {
    use wire::admin::Quantiles;
    use wire::{Namespace, PoolName, RouteId, Timestamp};

    use super::*;

    fn route(base_path: &str, rate: f64) -> RouteStats {
        let times = Some(Quantiles { p50: 4.2, p99: 61.0 });
        RouteStats {
            id: RouteId::of(&Namespace::default(), "*", base_path),
            host: "*".into(),
            base_path: base_path.into(),
            title: None,
            rate,
            failures: 0.0,
            queued: Some(420),
            waiting: 0,
            in_flight: 31,
            queue_ms: times,
            service_ms: times,
            cpu_ms: Some(1.0),
            runners: 3,
            cost_per_call: Some(4.2e-7),
        }
    }

    fn stats(routes: Vec<RouteStats>) -> Stats {
        let pool = PoolReport {
            name: PoolName::parse("default").unwrap(),
            labels: "gpu=true".parse().unwrap(),
            substrate: "docker".into(),
            runners_min: 1,
            runners_max: 10,
            wanted: 3,
            running: Some(3),
            ready: 2,
            why: "3 runners: backlog 420, 12 ms each, target 0.7".into(),
            alarm: None,
            cost_per_hour: 0.04,
        };
        let at = Timestamp(1_700_000_000_000);
        Stats {
            at,
            routes,
            pools: vec![pool],
            trials: Vec::new(),
            alarms: vec!["pool default: \u{1b}[2J".into()],
        }
    }

    fn lines(stats: &Stats, room: Room) -> Vec<String> {
        View { stats, trouble: None }.lines(room)
    }

    #[test]
    fn everything_is_there_when_there_is_room() {
        let stats = stats(vec![route("/idle", 0.0), route("/shop", 1_234.0)]);
        assert_eq!(
            lines(&stats, Room::Endless),
            [
                "22:13:20 UTC   2 routes   1.2k calls/s   2 pooled runners ready",
                "",
                "ROUTE  CALLS/S  FAIL/S  QUEUED  WAITED     P50    P99   CPU  RUNNING  RUNNERS  COST/1M",
                "/shop     1.2k       0     420   61 ms  4.2 ms  61 ms  1 ms       31        3     0.42",
                "/idle        0       0     420   61 ms  4.2 ms  61 ms  1 ms       31        3     0.42",
                "",
                "pool default: 2 of 3 ready, 3 wanted, 1 to 10 allowed, docker, gpu=true, 0.04 an hour each",
                "  3 runners: backlog 420, 12 ms each, target 0.7",
                "",
                "! pool default: \u{fffd}[2J",
            ]
        );
    }

    #[test]
    fn a_narrow_screen_shows_what_matters_most() {
        let stats = stats(vec![route("/a/long/path/to/somewhere/else/entirely", 5.0)]);
        for width in [60, 80, 100, 200] {
            let lines = lines(&stats, Room::Screen { width, height: 24 });
            assert!(lines.iter().all(|line| line.chars().count() <= width), "{lines:#?}");
            for header in ["CALLS/S", "QUEUED", "P50", "P99", "RUNNERS"] {
                assert!(lines[2].contains(header), "{width}: {}", lines[2]);
            }
            assert_eq!(lines[2].contains("COST/1M"), width >= 80);
        }
    }

    #[test]
    fn a_low_screen_shows_the_busiest_routes_and_how_many_there_are() {
        let routes: Vec<_> = (0..50).map(|number| route(&format!("/r{number}"), f64::from(number))).collect();
        let stats = stats(routes);
        let shown = lines(&stats, Room::Screen { width: 80, height: 15 });
        assert_eq!(shown.len(), 15);
        assert!(shown[3].starts_with("/r49 ") && shown[8].starts_with("/r44 "), "{shown:#?}");
        assert_eq!(shown[9], "and 44 more");
        for height in 0..15 {
            assert!(lines(&stats, Room::Screen { width: 10, height }).len() <= height);
        }
    }

    #[test]
    fn what_is_not_known_is_not_made_up() {
        let unknown = RouteStats {
            queued: None,
            queue_ms: None,
            service_ms: None,
            cpu_ms: None,
            cost_per_call: None,
            ..route("/a", 0.0)
        };
        let stats = Stats { pools: Vec::new(), alarms: Vec::new(), ..stats(vec![unknown]) };
        let lines = View { stats: &stats, trouble: Some("no answer") }.lines(Room::Endless);
        assert_eq!(
            lines[1..],
            [
                "! no answer",
                "",
                "ROUTE  CALLS/S  FAIL/S  QUEUED  WAITED  P50  P99  CPU  RUNNING  RUNNERS",
                "/a           0       0       -       -    -    -    -       31        3",
            ]
        );
    }
}
