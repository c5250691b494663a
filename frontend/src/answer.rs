//! Turns an answer into a response that leaves the connection sound, whatever a Func put into it.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use wire::http::{Response, full};
use wire::{Answer, Body, StoredBody};

use crate::hop_by_hop::{is_hop_by_hop, names};

/// Why an answer is no HTTP response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotHttp {
    #[error("the answer's status {0} is not one of a response")]
    Status(u16),
    #[error("the answer's header {0:?} cannot be sent")]
    Header(String),
    #[error("the answer has {0} headers")]
    Headers(usize),
    #[error("the answer comes in parts")]
    Parts,
}

/// The body in the store that the response to a request of this method is to be filled with.
pub(crate) fn stored<'a>(method: &Method, answer: &'a Answer) -> Option<&'a StoredBody> {
    match &answer.body {
        Body::Stored(stored) if *method != Method::HEAD && has_body(answer.status) => Some(stored),
        _ => None,
    }
}

/// The response to a request of this method that an answer asks for, without a body that is [`stored`].
pub(crate) fn into_response(method: &Method, answer: Answer) -> Result<Response, NotHttp> {
    if answer.more || answer.part > 0 {
        return Err(NotHttp::Parts);
    }
    // Responses below 200 do not end a request.
    let status = Some(answer.status).filter(|status| (200..=599).contains(status));
    let status = status.ok_or(NotHttp::Status(answer.status))?;
    let (body, stored_len) = match answer.body {
        _ if !has_body(status) => (Bytes::new(), None),
        Body::Inline(bytes) => (bytes, None),
        Body::Stored(stored) => (Bytes::new(), Some(stored.len)),
    };
    // Of a body that was left out, only the answer can say how long it is.
    let is_left_out = *method == Method::HEAD && body.is_empty();
    let length = if is_left_out { stored_len.or_else(|| length(&answer.headers)) } else { None };
    let mut response = full(status, &[], body).map_err(|_invalid| NotHttp::Status(status))?;
    *response.headers_mut() = headers(answer.headers)?;
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    Ok(response)
}

fn has_body(status: u16) -> bool {
    !matches!(status, 204 | 205 | 304)
}

fn length(answered: &[(String, String)]) -> Option<u64> {
    let (_, value) = answered.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
    value.parse().ok()
}

fn headers(answered: Vec<(String, String)>) -> Result<HeaderMap, NotHttp> {
    // One more: the request id is added to every response.
    let capacity = HeaderMap::try_with_capacity(answered.len() + 1);
    let mut headers = capacity.map_err(|_too_many| NotHttp::Headers(answered.len()))?;
    let named: Vec<String> = answered
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| names(value.as_bytes()))
        .collect();
    for (name, value) in answered {
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else { return Err(NotHttp::Header(name)) };
        if is_dropped(header.as_str()) || named.iter().any(|dropped| dropped == header.as_str()) {
            continue;
        }
        match HeaderValue::from_maybe_shared(Bytes::from(value)) {
            Ok(value) => headers.append(header, value),
            Err(_invalid) => return Err(NotHttp::Header(name)),
        };
    }
    Ok(headers)
}

/// The framing of the response is ours to write.
fn is_dropped(name: &str) -> bool {
    name == "content-length" || is_hop_by_hop(name)
}

#[cfg(test)]
mod tests {
    use wire::{ActivationId, RequestId, Version};

    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
        Answer {
            v: Version,
            id: RequestId::generate(),
            activation: ActivationId::generate(),
            attempt: 1,
            bundle: None,
            status,
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: Body::from("hello"),
            part: 0,
            more: false,
        }
    }

    #[test]
    fn what_would_break_the_connection_is_not_passed_on() {
        let headers = [
            ("Connection", "close, X-Odd"),
            ("x-odd", "1"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("keep-alive", "timeout=1"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
        ];
        let response = into_response(&Method::GET, answer(200, &headers)).unwrap();
        let kept: Vec<_> = response.headers().iter().map(|(_, value)| value.to_str().unwrap()).collect();
        assert_eq!(kept, ["a=1", "b=2"]);
    }

    #[test]
    fn a_body_that_is_not_sent_keeps_its_length() {
        let answer = Answer { body: Body::EMPTY, ..answer(200, &[("content-length", "7")]) };
        let response = into_response(&Method::HEAD, answer.clone()).unwrap();
        assert_eq!(response.headers()[CONTENT_LENGTH], "7");
        assert!(into_response(&Method::GET, answer).unwrap().headers().is_empty());
    }

    #[test]
    fn an_answer_that_is_not_http_is_refused() {
        for status in [0, 99, 100, 101, 199, 600, 999, 65_535] {
            assert!(
                matches!(into_response(&Method::GET, answer(status, &[])), Err(NotHttp::Status(_))),
                "{status}"
            );
        }
        for header in [("x", "a\r\nset-cookie: b"), ("x", "a\u{0}"), ("x y", "a"), ("", "a"), ("x\r\n", "a")]
        {
            assert!(
                matches!(into_response(&Method::GET, answer(200, &[header])), Err(NotHttp::Header(_))),
                "{header:?}"
            );
        }
        let many = vec![("x", "a"); 100_000];
        assert!(matches!(into_response(&Method::GET, answer(200, &many)), Err(NotHttp::Headers(100_000))));
        assert!(matches!(
            into_response(&Method::GET, Answer { more: true, ..answer(200, &[]) }),
            Err(NotHttp::Parts)
        ));
    }
}
