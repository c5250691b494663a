//! tmp
#![allow(clippy::all, clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]
use std::time::Instant;
fn main() {
    let list = std::io::read_to_string(std::io::stdin()).unwrap();
    let (mut ok, mut noid, mut bad, mut total) = (0, 0, 0, 0);
    let mut slow = vec![];
    let started = Instant::now();
    for path in list.lines() {
        let mut bytes = std::fs::read(path).unwrap();
        total += 1;
        let t = Instant::now();
        let mut r = swagger::Document::parse(&bytes);
        let el = t.elapsed();
        slow.push((el, bytes.len(), path.to_owned()));
        let mut missing = false;
        if let Err(e) = &r {
            if e.faults.iter().any(|f| f.reason.ends_with("has no operationId")) {
                missing = true;
                let mut v: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
                let mut n = 0;
                for (_, item) in v["paths"].as_object_mut().unwrap() {
                    if let Some(item) = item.as_object_mut() {
                        for (m, op) in item {
                            if ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
                                .contains(&m.as_str())
                            {
                                n += 1;
                                op["operationId"] = format!("op{n}").into();
                            }
                        }
                    }
                }
                bytes = v.to_string().into_bytes();
                r = swagger::Document::parse(&bytes);
            }
        }
        match r {
            Ok(d) => {
                ok += 1;
                if missing {
                    noid += 1;
                }
                drop(d);
            }
            Err(e) => {
                bad += 1;
                let f = &e.faults[0];
                println!(
                    "BAD\t{}\t{}\t{}\t{}",
                    e.faults.len(),
                    path.rsplit("api/").next().unwrap(),
                    f.pointer,
                    f.reason
                );
            }
        }
    }
    slow.sort();
    slow.reverse();
    eprintln!(
        "total {total} ok {ok} (of which lacking operationIds given some: {noid}) bad {bad} in {:?}",
        started.elapsed()
    );
    for s in slow.iter().take(8) {
        eprintln!("{s:?}");
    }
}
