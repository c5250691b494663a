//! Tests of [`Page`].

use proptest::prelude::*;

use super::*;

static CALLS: Metric = Metric::counter("t_calls", &["route", "status"], "Calls.");
static SLOTS: Metric = Metric::gauge("t_slots", &[], "Slots.");
static TIME: Metric = Metric::histogram("t_time_seconds", &["route"], "Time.");

fn page() -> Page {
    let mut page = Page::default();
    page.count(&CALLS, &["a\"\\\n", "2xx"], 3);
    page.add(&SLOTS, &[], 0.5);
    page
}

#[test]
fn a_counter_ends_with_total_where_its_format_says_so() {
    assert_eq!(
        page().render(Format::Prometheus),
        "# HELP t_calls_total Calls.\n# TYPE t_calls_total counter\n\
         t_calls_total{route=\"a\\\"\\\\\\n\",status=\"2xx\"} 3\n\
         # HELP t_slots Slots.\n# TYPE t_slots gauge\nt_slots 0.5\n"
    );
    assert_eq!(
        page().render(Format::OpenMetrics),
        "# HELP t_calls Calls.\n# TYPE t_calls counter\n\
         t_calls_total{route=\"a\\\"\\\\\\n\",status=\"2xx\"} 3\n\
         # HELP t_slots Slots.\n# TYPE t_slots gauge\nt_slots 0.5\n# EOF\n"
    );
}

#[test]
fn what_nothing_is_known_of_is_named_nevertheless() {
    let mut page = Page::default();
    page.declare(&[&CALLS]);
    assert_eq!(
        page.render(Format::Prometheus),
        "# HELP t_calls_total Calls.\n# TYPE t_calls_total counter\n"
    );
}

#[test]
fn buckets_add_up() {
    let mut timing = Timing::default();
    timing.add(400, None);
    timing.add(2_000_000, None);
    let mut page = Page::default();
    page.time(&TIME, &["r"], &timing);
    page.time(&TIME, &["r"], &timing);
    let text = page.render(Format::Prometheus);
    for line in [
        "t_time_seconds_bucket{route=\"r\",le=\"0.0005\"} 2",
        "t_time_seconds_bucket{route=\"r\",le=\"1.0\"} 2",
        "t_time_seconds_bucket{route=\"r\",le=\"2.5\"} 4",
        "t_time_seconds_bucket{route=\"r\",le=\"+Inf\"} 4",
        "t_time_seconds_sum{route=\"r\"} 4.0008",
        "t_time_seconds_count{route=\"r\"} 4",
    ] {
        assert!(text.lines().any(|known| known == line), "{line}\n{text}");
    }
}

#[test]
fn a_bucket_shows_a_trace_to_who_reads_openmetrics() {
    let context = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    let mut timing = Timing::default();
    timing.add(2_000, Some(context));
    let mut page = Page::default();
    page.time(&TIME, &["r"], &timing);
    let line = "t_time_seconds_bucket{route=\"r\",le=\"0.0025\"} 1";
    let exemplar = " # {trace_id=\"4bf92f3577b34da6a3ce929d0e0e4736\",span_id=\"00f067aa0ba902b7\"} 0.002 ";
    let open = page.render(Format::OpenMetrics);
    assert!(open.contains(&format!("{line}{exemplar}")), "{open}");
    let plain = page.render(Format::Prometheus);
    assert!(
        plain.contains(&format!("{line}\n")) && !plain.contains('{') | !plain.contains(" # {"),
        "{plain}"
    );
}

#[test]
fn what_is_too_much_is_one() {
    let mut page = Page::default();
    for number in 0..3_000 {
        page.count(&CALLS, &[&number.to_string(), "2xx"], 1);
    }
    page.count(&CALLS, &["7", "2xx"], 1);
    let text = page.render(Format::Prometheus);
    assert_eq!(text.lines().count(), 2 + SERIES_MAX);
    assert!(text.contains("{route=\"other\",status=\"other\"} 2001\n"), "{text}");
    assert!(text.contains("{route=\"7\",status=\"2xx\"} 2\n"), "{text}");
}

proptest! {
    #[test]
    fn a_value_is_on_one_line_and_between_its_quotes(value in "[a\"\\\\\n,{}=]{1,12}") {
        let mut page = Page::default();
        page.count(&CALLS, &[&value, ""], 1);
        let text = page.render(Format::Prometheus);
        let line = text.lines().nth(2).unwrap();
        prop_assert_eq!(text.lines().count(), 3);
        let quoted = line.strip_prefix("t_calls_total{route=\"").unwrap().strip_suffix("\"} 1").unwrap();
        let read = quoted.replace("\\\\", "\0").replace("\\\"", "\"").replace("\\n", "\n").replace('\0', "\\");
        prop_assert_eq!(read, value);
    }
}
