//! Any request line against a fixed document and route table is matched or refused without a panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use swagger::{BasePath, Document, HostPattern, Payload, Request, RouteTable};

static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
    let text = r#"{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{
        "/a/{x}/c":{"get":{"operationId":"1","parameters":[{"name":"x","in":"path","required":true,"style":"matrix","explode":true,"schema":{"type":"array","items":{"type":"integer"}}}]}},
        "/{a}.{b}":{"get":{"operationId":"2","parameters":[{"name":"a","in":"path","required":true,"schema":{"type":"string"}},{"name":"b","in":"path","required":true,"schema":{"type":"object"}}]}},
        "/{y}/b/d":{"get":{"operationId":"3","parameters":[{"name":"y","in":"path","required":true,"schema":{"type":"number"}},
            {"name":"q","in":"query","style":"deepObject","schema":{"type":"object"}},{"name":"r","in":"query","schema":{"type":"array","items":{"type":"boolean"}}}]}}}}"#;
    Document::parse(text.as_bytes()).expect("the fixed document parses")
});

static ROUTES: LazyLock<RouteTable<u8>> = LazyLock::new(|| {
    let route = |host: &str, path: &str, value| {
        (HostPattern::parse(host).expect("host"), BasePath::parse(path).expect("path"), value)
    };
    RouteTable::build([route("*", "/", 0), route("*", "/api/v1", 1), route("a.example", "/api", 2)])
        .expect("no conflict")
});

fuzz_target!(|data: (&str, &str, &str)| {
    let (host, path, query) = data;
    let _ = ROUTES.lookup(host, path);
    let _ = HostPattern::parse(host);
    let base = BasePath::parse(path);
    if let Ok(base) = base {
        assert_eq!(BasePath::parse(&base.to_string()).as_ref(), Ok(&base));
        let _ = base.strip(query);
    }
    let _ = DOCUMENT.check(&Request { method: "GET", path, query, headers: &[], body: Payload::Whole(b"") });
});
