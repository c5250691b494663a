//! What waits to be published is bounded in bytes, whatever they are bytes of.

use wire::Body;

use super::super::weight;
use super::{JSON, entry, pairs, sending};

#[test]
fn heads_weigh_as_bodies_do() {
    let long = "a".repeat(1 << 16);
    let light = weight(&entry("/api/other", JSON, Body::EMPTY));
    assert!(light < 4_096);
    let entry = |path: &str| entry(path, JSON, Body::EMPTY);
    let mut heavy = vec![entry(&format!("/api/other?{long}")), entry(&format!("/{long}"))];
    heavy.push(sending(entry("/"), &format!("http://a.test/{long}"), &[]));
    heavy.push(sending(entry("/"), "http://a.test/", &[("a", &long)]));
    let mut answer = entry("/");
    answer.answer.headers.extend(pairs(&[(&long, "a")]));
    heavy.push(answer);
    for entry in heavy {
        assert!(
            (light + (1 << 16)..light + (1 << 17)).contains(&(weight(&entry) + 16)),
            "{}",
            weight(&entry)
        );
    }
}
