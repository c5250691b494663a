//! Captured calls are run again, where there is no network and no cluster, and their answers compared.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::quotes::{CALLS, Quotes, entries, exits, read_head, succeeds};

#[test]
fn a_thousand_calls_come_to_the_same_without_a_network_and_three_in_a_hundred_are_found() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(CALLS);
    quotes.prices.stop();

    // The network is gone, and what each call drew from it is not.
    let renewed = quotes.platform.folder().join("renewed.jsonl");
    fs::copy(&file, &renewed).unwrap();
    let told = succeeds(&quotes.alone(&["replay", "renewed.jsonl", "--against", "old", "--update"]));
    assert!(told.ends_with("1000 calls run again: 1000 the same, 0 different\n"), "{told}");
    let answers = |file: &Path| entries(file).into_iter().map(|entry| entry.answer).collect::<Vec<_>>();
    for (before, after) in answers(&file).into_iter().zip(answers(&renewed)) {
        assert_eq!((before.status, before.headers, before.body), (after.status, after.headers, after.body));
    }

    let compared = ["replay", "captured.jsonl", "--against", "new", "--noise-from", "old", "-o", "json"];
    let told: Value = serde_json::from_str(&exits(&quotes.alone(&compared), 1)).unwrap();
    let found = told["outcomes"].as_array().unwrap().iter();
    let found: BTreeSet<String> = found.map(|outcome| outcome["path"].as_str().unwrap().to_owned()).collect();
    let planted = (0..CALLS).filter(|n| n % 100 < 3).map(|n| format!("/quotes/{n}"));
    assert_eq!(found, planted.collect());
    assert_eq!((&told["same"], &told["different"]), (&json!(970), &json!(30)));
    let places = told["outcomes"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|outcome| outcome["different"].as_array().unwrap());
    assert!(places.clone().all(|difference| difference["place"] == "body/price") && places.count() == 30);
}

#[test]
fn a_replay_tells_what_differs_to_people_and_to_programs() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(5);
    quotes.prices.stop();
    let captured = entries(&file);

    let against = ["replay", "captured.jsonl", "--against", "new", "--junit", "junit.xml"];
    let told = exits(&quotes.alone(&against), 1);
    assert!(told.starts_with("getQuote: 3 of 5 calls differ\n  GET /quotes/"), "{told}");
    assert!(told.contains("\n    body/price: ") && told.contains(" became "), "{told}");
    assert!(told.ends_with("5 calls run again: 2 the same, 3 different\n"), "{told}");
    let junit = fs::read_to_string(quotes.platform.folder().join("junit.xml")).unwrap();
    assert!(junit.contains("tests=\"5\" failures=\"3\" errors=\"0\" skipped=\"0\""), "{junit}");
    assert_eq!(junit.matches("<failure message=\"body/price: ").count(), 3, "{junit}");

    let only = captured.iter().find(|entry| entry.invoke.path == "/quotes/4").unwrap().invoke.id.as_str();
    let story =
        succeeds(&quotes.alone(&["replay", "captured.jsonl", "--against", "old", "--only", only, "--trace"]));
    let asked = format!("asks GET http://{}/price?of=4", quotes.prices.address);
    for part in [
        "REQUEST   GET /quotes/4",
        "authorization: [redacted]",
        "OPERATION getQuote",
        "asks what time it is: 20",
        "random bytes",
        &asked,
        "is answered 200 after",
        "stdout info: quoting 4",
        "ANSWER    200 after",
        "TIME ",
        "COMPARED  the same as before, status 200",
    ] {
        assert!(story.contains(part), "no {part:?} in\n{story}");
    }
    let filter =
        ["replay", "captured.jsonl", "--against", "new", "--filter", "path=/quotes/4", "--speed", "1x"];
    let told = succeeds(&quotes.alone(&filter));
    assert!(told.ends_with("1 call run again: 1 the same, 0 different\n"), "{told}");
}

#[test]
fn what_cannot_be_compared_is_told_apart_from_what_differs() {
    let quotes = Quotes::start();
    let file = quotes.capture(2);
    let line = fs::read_to_string(&file).unwrap().lines().take(2).collect::<Vec<_>>().join("\n");
    let folder = quotes.platform.folder();
    fs::write(folder.join("broken.jsonl"), format!("{line}\nnonsense\n")).unwrap();
    fs::write(folder.join("empty.jsonl"), "").unwrap();
    for (arguments, why) in [
        (&["replay", "broken.jsonl", "--against", "new"][..], "line 3 of broken.jsonl"),
        (&["replay", "empty.jsonl", "--against", "new"], "empty.jsonl is empty"),
        (&["replay", "new/index.js", "--against", "new"], "is no file of captured calls"),
        (&["replay", "absent.jsonl"], "open absent.jsonl"),
        (&["replay", "captured.jsonl", "--against", "new", "--filter", "status=404"], "none of its 2 calls"),
        (&["replay", "captured.jsonl", "--against", "nowhere"], "nowhere is no folder or file here"),
    ] {
        let output = quotes.command(arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        exits(&output, 2);
        assert!(error.contains(why), "no {why:?} in {error}");
    }
}

#[test]
fn a_cluster_runs_calls_again_and_a_bundle_that_answers_differently_is_not_deployed() {
    let mut quotes = Quotes::start();
    quotes.capture(5);
    quotes.prices.stop();
    let url = quotes.url();
    let same = "5 calls run again: 5 the same, 0 different\n";
    // By whatever has answered them, fetched; by the route; by its bundle.
    let sha = quotes.admin("GET", "/bundles", &Value::Null)[0]["sha"].as_str().unwrap()[..12].to_owned();
    for against in [&["-p", &url][..], &["--against", "/quotes"], &["--against", &sha]] {
        let told = succeeds(&quotes.command(&[&["replay", "captured.jsonl"], against].concat()));
        assert!(told.ends_with(same), "{told}");
    }
    let deploy = |max_diff: &str| {
        quotes.command(&["deploy", "new", "-p", &url, "--replay", "captured.jsonl", "--max-diff", max_diff])
    };
    let unfit = quotes.command(&["replay", "captured.jsonl", "--against", "old"]);
    exits(&unfit, 1);
    assert!(
        String::from_utf8_lossy(&unfit.stderr).contains("not given here, with -p or --props: url"),
        "{unfit:?}"
    );
    let refused = deploy("2");
    let told = exits(&refused, 1);
    assert!(told.contains("3 of 5 calls differ") && told.contains("body/price"), "{told}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing was deployed"), "{refused:?}");
    assert_eq!(quotes.admin("GET", "/bundles", &Value::Null).as_array().unwrap().len(), 1);
    succeeds(&deploy("60%"));
    let told = exits(&quotes.command(&["replay", "captured.jsonl", "--against", "/quotes"]), 1);
    assert!(told.ends_with("5 calls run again: 2 the same, 3 different\n"), "{told}");
}

#[test]
fn a_site_is_sent_what_was_captured_without_what_was_taken_out() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(1);
    quotes.prices.stop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(String::new()));
    let hears = Arc::clone(&heard);
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        *hears.lock().unwrap() = read_head(&mut stream).unwrap();
        stream
            .write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
    });
    let told = exits(&quotes.command(&["replay", "captured.jsonl", "--against", &site]), 1);
    serving.join().unwrap();
    assert!(told.contains("status: 200 became 404"), "{told}");
    let heard = heard.lock().unwrap().to_lowercase();
    let mark = format!("x-funcatron-replay: {}", entries(&file)[0].invoke.activation);
    assert!(heard.starts_with("get /quotes/0 http/1.1") && heard.contains(&mark), "{heard}");
    assert!(!heard.contains("authorization"), "{heard}");
}
