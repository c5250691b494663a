//! Pictures of what happened: runners over time, one line for each policy.

use std::fmt::Write;

use crate::comparison::{Comparison, Kind};

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 28.0;
/// Points of a line: more would not be seen.
const POINTS: usize = 450;

/// Runners over time under the policies that change their number, over what was needed.
pub(crate) fn of(comparison: &Comparison) -> String {
    let drawn = [
        (Kind::OpenFaasTuned, "#d98e04", "openfaas-like, tuned"),
        (Kind::Knative, "#7a5ad6", "knative-like"),
        (Kind::Oracle, "#3a9d5d", "oracle"),
        (Kind::Ours, "#d6336c", "funcatron"),
    ];
    let lines: Vec<_> = drawn
        .into_iter()
        .filter_map(|(kind, colour, name)| {
            let runners = &comparison.outcome(kind)?.runners;
            Some((colour, name, runners.iter().map(|runners| f64::from(*runners)).collect::<Vec<f64>>()))
        })
        .collect();
    let all = lines.iter().flat_map(|(_, _, values)| values).chain(&comparison.demand);
    let scale = Scale { seconds: comparison.demand.len(), most: all.copied().fold(1.0, f64::max) };
    let mut svg = scale.frame(&format!("{}: {}", comparison.trace, comparison.about));
    let needed = scale.points(&comparison.demand);
    let (from, to) = (scale.point(0, 0.0), scale.point(scale.seconds, 0.0));
    let _ = write!(svg, r##"<polygon points="{from} {needed} {to}" fill="#dde3ea"/>"##);
    for (index, (colour, name, values)) in lines.iter().enumerate() {
        let points = scale.points(values);
        let _ = write!(
            svg,
            r#"<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/><text x="{}" y="38" fill="{colour}">{name}</text>"#,
            LEFT + 150.0 * (index + 1) as f64,
        );
    }
    let _ = writeln!(svg, r##"<text x="{LEFT}" y="38" fill="#8594a5">needed</text></svg>"##);
    svg
}

struct Scale {
    seconds: usize,
    most: f64,
}

impl Scale {
    fn point(&self, second: usize, value: f64) -> String {
        let x = LEFT + (WIDTH - LEFT - 10.0) * second as f64 / self.seconds.max(1) as f64;
        let y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.most;
        format!("{x:.0},{y:.1}")
    }

    /// The most of each stretch, so that no peak is lost.
    fn points(&self, values: &[f64]) -> String {
        let stretch = values.len().div_ceil(POINTS).max(1);
        let most = |chunk: &[f64]| chunk.iter().copied().fold(0.0, f64::max);
        let points =
            values.chunks(stretch).enumerate().map(|(index, chunk)| self.point(index * stretch, most(chunk)));
        points.collect::<Vec<String>>().join(" ")
    }

    fn frame(&self, title: &str) -> String {
        let mut svg = format!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><text x="{LEFT}" y="18" font-size="14">{title}</text>"##
        );
        for quarter in 0..=4 {
            let value = self.most * f64::from(quarter) / 4.0;
            let y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * f64::from(quarter) / 4.0;
            let minutes = self.seconds as f64 / 60.0 * f64::from(quarter) / 4.0;
            let x = LEFT + (WIDTH - LEFT - 10.0) * f64::from(quarter) / 4.0;
            let _ = write!(
                svg,
                r##"<path d="M{LEFT} {y:.1}H{}" stroke="#e8ebef"/><text x="{}" y="{:.1}" text-anchor="end">{value:.0}</text><text x="{x:.0}" y="{}" text-anchor="middle">{minutes:.0} min</text>"##,
                WIDTH - 10.0,
                LEFT - 6.0,
                y + 4.0,
                HEIGHT - 8.0,
            );
        }
        svg
    }
}
