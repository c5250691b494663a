//! Any bytes are a document or are refused; an accepted document judges a request without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use swagger::{Document, Payload, Request};

fuzz_target!(|data: &[u8]| {
    let Ok(document) = Document::parse(data) else { return };
    let headers = [("content-type".to_owned(), "application/json".to_owned())];
    for operation in document.operations() {
        let request = Request {
            method: operation.method(),
            path: operation.path(),
            query: "a=1&b=%20",
            headers: &headers,
            body: Payload::Whole(b"{\"a\":[1,null]}"),
        };
        let _ = document.check(&request);
        let _ = operation.check_response(operation.method(), 200, &headers, b"[1]");
    }
});
