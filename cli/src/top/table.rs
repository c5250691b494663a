//! `Table`: routes in columns, as many of them as there is room for.

use wire::admin::{Quantiles, RouteStats};

use super::figures::{count, money, time};
use crate::output::printable;

/// What is shown of a route beside its name.
pub(super) struct Column {
    header: &'static str,
    cell: fn(&RouteStats) -> String,
    /// Which goes first when there is no room for all: the largest. 0 stays.
    dispensable: u8,
}

/// From left to right.
const COLUMNS: [Column; 10] = [
    Column { header: "CALLS/S", cell: |route| count(route.rate), dispensable: 0 },
    Column { header: "FAIL/S", cell: |route| count(route.failures), dispensable: 1 },
    Column { header: "QUEUED", cell: queued, dispensable: 0 },
    Column { header: "WAITED", cell: |route| spread(route.queue_ms, |times| times.p99), dispensable: 3 },
    Column { header: "P50", cell: |route| spread(route.service_ms, |times| times.p50), dispensable: 0 },
    Column { header: "P99", cell: |route| spread(route.service_ms, |times| times.p99), dispensable: 0 },
    Column { header: "CPU", cell: |route| route.cpu_ms.map_or_else(none, time), dispensable: 4 },
    Column { header: "RUNNING", cell: |route| whole(route.in_flight), dispensable: 5 },
    Column { header: "RUNNERS", cell: |route| route.runners.to_string(), dispensable: 0 },
    Column { header: "COST/1M", cell: cost, dispensable: 2 },
];

/// Between columns.
const GAP: &str = "  ";

/// A name shorter than this tells nobody which route it is.
const NAME_WIDTH_MIN: usize = 16;

/// The header and a line for each route, no longer than `width` if it is given and not tiny.
pub(super) fn lines(routes: &[&RouteStats], width: Option<usize>) -> Vec<String> {
    let mut columns: Vec<Filled> = COLUMNS.iter().map(|column| Filled::of(column, routes)).collect();
    if routes.iter().all(|route| route.cost_per_call.is_none()) {
        columns.retain(|column| column.header != "COST/1M");
    }
    let names: Vec<String> = routes.iter().map(|route| name(route)).collect();
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or_default().max("ROUTE".len());
    let width = width.unwrap_or(usize::MAX);
    let shortest = longest.min(NAME_WIDTH_MIN);
    while shortest + taken(&columns) > width
        && let Some(dispensable) =
            columns.iter().map(|column| column.dispensable).max().filter(|most| *most > 0)
    {
        columns.retain(|column| column.dispensable != dispensable);
    }
    let name_width = longest.min(width.saturating_sub(taken(&columns))).max(shortest);
    let line = |name: &str, cell: &dyn Fn(&Filled) -> String| {
        let start = format!("{:<name_width$}", shortened(name, name_width));
        let cells =
            columns.iter().map(|column| format!("{GAP}{:>width$}", cell(column), width = column.width));
        std::iter::once(start).chain(cells).collect::<String>()
    };
    let header = line("ROUTE", &|column| column.header.to_owned());
    let rows = names.iter().enumerate().map(|(row, name)| line(name, &|column| column.cells[row].clone()));
    std::iter::once(header).chain(rows).collect()
}

/// A column with what is in it.
struct Filled {
    header: &'static str,
    cells: Vec<String>,
    width: usize,
    dispensable: u8,
}

impl Filled {
    fn of(column: &Column, routes: &[&RouteStats]) -> Self {
        let Column { header, cell, dispensable } = *column;
        let cells: Vec<String> = routes.iter().map(|route| cell(route)).collect();
        let width = cells.iter().map(String::len).max().unwrap_or_default().max(header.len());
        Self { header, cells, width, dispensable }
    }
}

fn taken(columns: &[Filled]) -> usize {
    columns.iter().map(|column| GAP.len() + column.width).sum()
}

fn name(route: &RouteStats) -> String {
    let host = if route.host == "*" { "" } else { &route.host };
    printable(&format!("{host}{}", route.base_path))
}

fn queued(route: &RouteStats) -> String {
    route.queued.map_or_else(none, |queued| whole(queued.saturating_add(route.waiting)))
}

fn whole(number: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "three digits of it are shown")]
    count(number as f64)
}

fn spread(times: Option<Quantiles>, which: fn(Quantiles) -> f64) -> String {
    times.map_or_else(none, |times| time(which(times)))
}

fn cost(route: &RouteStats) -> String {
    route.cost_per_call.map_or_else(none, |cost| money(cost * 1e6))
}

fn none() -> String {
    "-".to_owned()
}

/// The text, cut off to this many characters if it has more.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}
