//! The page for people, as a browser gets it.

use bytes::Bytes;

use crate::harness::{Reply, Stage};

async fn ask(stage: &Stage, method: &str, path: &str, headers: &[(&str, String)]) -> Reply {
    Reply::read(stage.send_to(method, path, headers, Bytes::new()).await).await
}

#[tokio::test]
async fn the_page_is_had_without_a_token_and_only_from_here() {
    let stage = Stage::start().await;
    for (path, content_type) in [
        ("/console/", "text/html; charset=utf-8"),
        ("/console/app.js", "text/javascript; charset=utf-8"),
        ("/console/style.css", "text/css; charset=utf-8"),
        ("/console/icon.svg", "image/svg+xml"),
    ] {
        let reply = ask(&stage, "GET", path, &[]).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, Some(content_type)), "{path}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        let policy = reply.header("content-security-policy").unwrap();
        for rule in
            ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.split("; ").any(|stated| stated == rule), "{rule} is not in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!reply.body.is_empty());
    }
}

#[tokio::test]
async fn who_asks_for_nothing_is_sent_to_the_page() {
    let stage = Stage::start().await;
    for path in ["/", "/console"] {
        let reply = ask(&stage, "GET", path, &[]).await;
        assert_eq!((reply.status, reply.header("location")), (302, Some("console/")), "{path}");
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let stage = Stage::start().await;
    let etag = ask(&stage, "GET", "/console/app.js", &[]).await.header("etag").unwrap().to_owned();
    let reply =
        ask(&stage, "GET", "/console/app.js", &[("if-none-match", format!("\"other\", {etag}"))]).await;
    assert_eq!((reply.status, reply.body.len()), (304, 0));
    let reply = ask(&stage, "GET", "/console/app.js", &[("if-none-match", "\"other\"".to_owned())]).await;
    assert_eq!((reply.status, reply.header("cache-control")), (200, Some("no-cache")));
}

#[tokio::test]
async fn the_page_can_only_be_read() {
    let stage = Stage::start().await;
    let reply = ask(&stage, "POST", "/console/app.js", &[]).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD")));
    let reply = ask(&stage, "HEAD", "/console/app.js", &[]).await;
    assert_eq!((reply.status, reply.body.len()), (200, 0));
    for path in ["/console/none.js", "/console/../api.js", "/console/%2e%2e/api.js", "/consoles/"] {
        assert_eq!(ask(&stage, "GET", path, &[]).await.status, 404, "{path}");
    }
}
