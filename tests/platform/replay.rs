//! Captured calls are run again, where there is no network and no cluster, and their answers compared.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;
use std::thread::JoinHandle;

use serde_json::{Value, json};

use wire::capture::{CaptureEntry, Drawn};
use wire::{Body, BundleSha};

use crate::quotes::{CALLS, Quotes, edit, entries, exits, read_head, succeeds};

#[test]
fn a_thousand_calls_come_to_the_same_without_a_network_and_three_in_a_hundred_are_found() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(CALLS);
    quotes.prices.stop();

    // The network is gone, and what each call drew from it is not.
    let renewed = quotes.platform.folder().join("renewed.jsonl");
    fs::copy(&file, &renewed).unwrap();
    let updated = quotes.alone(&["replay", "renewed.jsonl", "--against", "old", "--update"]);
    let told = succeeds(&updated);
    assert!(told.ends_with("1000 calls run again: 1000 the same, 0 different\n"), "{told}");
    assert!(stderr(&updated).contains("wrote 1000 new answers to renewed.jsonl"), "{updated:?}");
    let answers = |file: &Path| entries(file).into_iter().map(|entry| entry.answer).collect::<Vec<_>>();
    for (before, after) in answers(&file).into_iter().zip(answers(&renewed)) {
        // The platform that captured tells clients why a Func threw; one that runs calls again does not.
        if before.status == 500 {
            continue;
        }
        assert_eq!((before.status, before.headers, before.body), (after.status, after.headers, after.body));
    }

    let compared = ["replay", "captured.jsonl", "--against", "new", "--noise-from", "old", "-o", "json"];
    let told: Value = serde_json::from_str(&exits(&quotes.alone(&compared), 1)).unwrap();
    let found = told["outcomes"].as_array().unwrap().iter();
    let found: BTreeSet<String> = found.map(|outcome| outcome["path"].as_str().unwrap().to_owned()).collect();
    let planted = (0..CALLS).filter(|n| n % 100 < 3).map(|n| format!("/quotes/{n}"));
    assert_eq!(found, planted.collect());
    assert_eq!((&told["same"], &told["different"]), (&json!(970), &json!(30)));
    assert_eq!(told["operations"]["getQuote"]["places"], json!({"body/price": 30}));
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
    assert!(told.starts_with("getQuote: 3 of 5 calls differ\n  body/price: 3\n  GET /quotes/"), "{told}");
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
    let differing = captured.iter().find(|entry| entry.invoke.path == "/quotes/0").unwrap();
    let end = &differing.invoke.activation.to_string()[26..];
    let update = quotes.alone(&["replay", "captured.jsonl", "--against", "new", "--only", end, "--update"]);
    assert!(succeeds(&update).starts_with("getQuote: 1 of 1 call differs\n"), "{update:?}");
    assert!(stderr(&update).contains("wrote 1 new answer to captured.jsonl"), "{update:?}");
    succeeds(&quotes.alone(&["replay", "captured.jsonl", "--against", "new", "--only", end]));
}

#[test]
fn what_cannot_be_compared_is_told_apart_from_what_differs() {
    let quotes = Quotes::start();
    let file = quotes.capture(2);
    let line = fs::read_to_string(&file).unwrap().lines().take(2).collect::<Vec<_>>().join("\n");
    let folder = quotes.platform.folder();
    fs::write(folder.join("broken.jsonl"), format!("{line}\nnonsense\n")).unwrap();
    fs::write(folder.join("empty.jsonl"), "").unwrap();
    fs::write(folder.join("cut.jsonl"), format!("{line}\n")).unwrap();
    fs::write(folder.join("calls.har"), "{\n  \"log\": {}\n}").unwrap();
    fs::copy(&file, folder.join("none.jsonl")).unwrap();
    edit(&folder.join("none.jsonl"), Vec::clear);
    let traced = |against: &'static str| {
        [
            "replay",
            "captured.jsonl",
            "--only",
            &entries(&file)[0].invoke.id.to_string(),
            "--trace",
            "--against",
            against,
        ]
        .map(str::to_owned)
    };
    let (by_route, by_url) = (traced("/quotes"), traced("http://127.0.0.1:1"));
    let (by_route, by_url) = (by_route.each_ref().map(|text| &**text), by_url.each_ref().map(|text| &**text));
    for (arguments, why) in [
        (&["replay", "broken.jsonl", "--against", "new"][..], "line 3 of broken.jsonl"),
        (&["replay", "empty.jsonl", "--against", "new"], "empty.jsonl is empty"),
        (&["replay", "new/index.js", "--against", "new"], "is no file of captured calls"),
        (&["replay", "absent.jsonl"], "open absent.jsonl"),
        (
            &["replay", "captured.jsonl", "--against", "new", "--filter", "status=404"],
            "no call matches status=404",
        ),
        (&["replay", "captured.jsonl", "--only", "zzz"], "no call has the id zzz"),
        (&["replay", "captured.jsonl", "--only", ""], "a value is required for '--only <ID>'"),
        (&["replay", "none.jsonl"], "the capture is empty"),
        (&["replay", "cut.jsonl", "--against", "new"], "tells of 2 calls and has 1"),
        (&["replay", "calls.har"], "export without --har"),
        (&["replay", "/dev/null"], "is no regular file"),
        (&["replay", "."], "is no regular file"),
        (&by_route, "--trace tells of a call that runs in this process"),
        (&by_url, "--trace tells of a call that runs in this process"),
        (&["replay", "captured.jsonl", "--against", "./nowhere"], "there is no folder or file ./nowhere"),
        (&["replay", "captured.jsonl", "--against", "new", "--junit", "nowhere/a"], "write nowhere/a"),
        (&["replay", "captured.jsonl", "--against", "nowhere"], "nowhere is no folder or file here"),
    ] {
        let output = quotes.command(arguments);
        exits(&output, 2);
        assert!(stderr(&output).contains(why), "no {why:?} in {output:?}");
        assert!(output.stdout.is_empty(), "it was run: {output:?}");
    }
    let har = quotes.command(&["capture", "import", "calls.har"]);
    exits(&har, 1);
    assert!(stderr(&har).contains("export without --har"), "{har:?}");
    let told = exits(&quotes.command(&["replay", "captured.jsonl", "--against", "http://127.0.0.1:1"]), 2);
    assert!(told.starts_with("getQuote: 2 of 2 calls without an answer\n"), "{told}");
    assert!(told.ends_with("\nno call could be run again\n"), "{told}");
}

#[test]
fn a_call_that_was_cut_off_is_not_run_again() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(2);
    quotes.prices.stop();
    edit(&file, |entries| {
        let [cut_off, ..] = &mut entries[..] else { panic!() };
        (cut_off.answer.status, cut_off.activation.status) = (502, 502);
        cut_off.drawn = Drawn { seed: "0".repeat(64), ..Drawn::default() };
    });
    let told = succeeds(&quotes.alone(&["replay", "captured.jsonl", "--against", "old"]));
    assert!(told.contains("1 call not run again: no Func ran when it was captured\n"), "{told}");
    assert!(told.ends_with("1 call run again: 1 the same, 0 different\n"), "{told}");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
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
    for unfit in [
        &["replay", "captured.jsonl", "--against", "old"][..],
        &["replay", "captured.jsonl"],
        &["replay", "captured.jsonl", "--against", "/quotes", "--noise-from", "old"],
    ] {
        let unfit = quotes.command(unfit);
        exits(&unfit, 2);
        assert!(stderr(&unfit).contains("give them with -p or --props: url"), "{unfit:?}");
    }
    let unfit = quotes.command(&["deploy", "new", "--replay", "captured.jsonl"]);
    exits(&unfit, 1);
    assert!(stderr(&unfit).contains("give them with -p or --props: url"), "{unfit:?}");
    // Props that are given are all that it is to have.
    let other = quotes.command(&["deploy", "new", "-p", "other=1", "--replay", "captured.jsonl"]);
    exits(&other, 1);
    assert!(stderr(&other).contains("5 of 5 recorded answers would change"), "{other:?}");
    let refused = deploy("2");
    let told = exits(&refused, 1);
    assert!(told.contains("3 of 5 calls differ") && told.contains("body/price"), "{told}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("nothing was deployed"), "{refused:?}");
    assert_eq!(quotes.admin("GET", "/bundles", &Value::Null).as_array().unwrap().len(), 1);
    succeeds(&deploy("60%"));
    let told = exits(&quotes.command(&["replay", "captured.jsonl", "--against", "/quotes"]), 1);
    assert!(told.ends_with("5 calls run again: 2 the same, 3 different\n"), "{told}");
}

/// Answers each of so many requests as `answer` says, on a connection of its own; what it was sent, in that order.
fn site(
    requests: usize,
    mut answer: impl FnMut(TcpStream) + Send + 'static,
) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let serve = |_| {
            let (mut stream, _) = listener.accept().unwrap();
            let head = read_head(&mut stream).unwrap().to_lowercase();
            answer(stream);
            head
        };
        (0..requests).map(serve).collect()
    });
    (url, serving)
}

fn respond(mut stream: TcpStream, status: &str, body: &str) {
    let len = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len}\r\n");
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).unwrap();
}

#[test]
fn a_site_is_sent_what_was_captured_without_what_was_taken_out() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(1);
    quotes.prices.stop();
    edit(&file, |entries| {
        let cookie = ("cookie".to_owned(), "a=[redacted]; b=1".to_owned());
        entries[0].invoke.headers.extend([cookie, ("x-kept".to_owned(), "1".to_owned())]);
    });
    let (site, serving) = site(1, |stream| respond(stream, "404 Not Found", ""));
    let told = exits(&quotes.command(&["replay", "captured.jsonl", "--against", &site]), 1);
    let heard = &serving.join().unwrap()[0];
    assert!(told.contains("status: 200 became 404"), "{told}");
    let mark = format!("x-funcatron-replay: {}", entries(&file)[0].invoke.activation);
    assert!(heard.starts_with("get /quotes/0 http/1.1") && heard.contains(&mark), "{heard}");
    assert!(heard.contains("x-kept: 1"), "{heard}");
    for absent in ["authorization", "cookie", "gzip"] {
        assert!(!heard.contains(absent), "{absent} in {heard}");
    }
}

#[test]
fn what_a_site_answers_is_compared_as_the_document_of_the_bundle_says() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(1);
    quotes.prices.stop();
    let body = entries(&file).remove(0).answer.body;
    let Body::Inline(body) = body else { panic!("{body:?}") };
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    body["at"] = "2020-02-20T20:20:20.202Z".into();
    body["id"] = "0198f3a1-0000-7000-8000-000000000000".into();
    let (url, serving) = site(3, move |stream| respond(stream, "200 OK", &body.to_string()));
    let against = ["replay", "captured.jsonl", "--against", &url];
    let told = succeeds(&quotes.command(&against));
    assert!(told.ends_with("1 call run again: 1 the same, 0 different\n"), "{told}");
    // Where no server has it, the document may come from a folder.
    let unknown = |entries: &mut Vec<CaptureEntry>| {
        entries[0].activation.bundle = BundleSha::of(b"another");
        entries[0].answer.bundle = None;
    };
    edit(&file, unknown);
    let url = quotes.url();
    let from = ["--noise-from", "old", "-p", &url];
    succeeds(&quotes.command(&[&against[..], &from].concat()));
    let told = exits(&quotes.command(&against), 1);
    assert!(told.contains("body/at: ") && told.contains("\ncompared without a document"), "{told}");
    serving.join().unwrap();
}

#[test]
fn a_slow_answer_holds_up_no_other() {
    const SENT: usize = 40;
    let mut quotes = Quotes::start();
    quotes.capture(SENT);
    quotes.prices.stop();
    // The first is answered after all others.
    let (mut first, mut answered) = (None, 0);
    let (url, serving) = site(SENT, move |stream| {
        if first.is_none() && answered == 0 {
            first = Some(stream);
            return;
        }
        respond(stream, "200 OK", "{}");
        answered += 1;
        if answered == SENT - 1 {
            respond(first.take().unwrap(), "200 OK", "{}");
        }
    });
    let told = exits(&quotes.command(&["replay", "captured.jsonl", "--against", &url, "-o", "json"]), 1);
    serving.join().unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["different"], &told["failed"]), (&json!(SENT), &json!(0)));
    let order = told["outcomes"].as_array().unwrap().iter().map(|outcome| outcome["id"].as_str().unwrap());
    let captured = entries(&quotes.platform.folder().join("captured.jsonl"));
    assert!(order.eq(captured.iter().map(|entry| entry.invoke.id.as_str())));
}
