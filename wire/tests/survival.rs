//! Messages of any content survive the journey, in any number.
#![allow(missing_docs, clippy::unwrap_used, reason = "it is a test")]

use proptest::prelude::*;
use wire::{
    ActivationId, Answer, Body, BodySha, BundleSha, Invoke, InvokeHead, Namespace, RequestId, StoredBody,
    Timestamp, Version, decode_line, decode_lines, encode_line,
};

prop_compose! {
    fn any_body()(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..64),
            "\\PC{0,32}".prop_map(String::into_bytes),
            "[ \\[\\]{}\",:0-9.eE\\-\n]{0,16}".prop_map(String::into_bytes),
        ],
        stored in prop::option::weighted(0.2, (any::<u64>(), any::<u64>(), 1u64..)),
    ) -> Body {
        stored.map_or(Body::from(bytes), |(object, sha256, len)| {
            let [object, sha256] = [object, sha256].map(|seed| BodySha::of(&seed.to_le_bytes()));
            Body::Stored(StoredBody { object, sha256, len })
        })
    }
}

fn any_headers() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("[a-z-]{1,12}", any::<String>()), 0..6)
}

prop_compose! {
    fn any_invoke()(
        (id, namespace) in ("[A-Za-z0-9._-]{1,128}", "[a-z0-9-]{1,63}"),
        (at, deadline, attempt, retry) in any::<(u64, u64, u32, u32)>(),
        (reply_to, client, traceparent) in any::<(Option<String>, Option<String>, Option<String>)>(),
        sent_us in any::<Option<u64>>(),
        (method, scheme, host) in any::<(String, String, String)>(),
        (path, query, asynchronous, queue) in any::<(String, String, bool, Option<String>)>(),
        bundle in prop::option::of(any::<Vec<u8>>()),
        headers in any_headers(),
        body in any_body(),
    ) -> Invoke {
        Invoke {
            v: Version,
            id: RequestId::parse(id).unwrap(),
            activation: ActivationId::generate(),
            namespace: Namespace::parse(namespace).unwrap(),
            at: Timestamp(at),
            deadline: Timestamp(deadline),
            asynchronous,
            queue,
            bundle: bundle.map(|bytes| BundleSha::of(&bytes)),
            replay: None,
            attempt, retry, reply_to, method, scheme, host, path, query, headers, client, traceparent, sent_us, body,
        }
    }
}

prop_compose! {
    fn any_answer()(
        id in "[A-Za-z0-9._-]{1,128}",
        (attempt, status, part, more) in any::<(u32, u16, u32, bool)>(),
        bundle in prop::option::of(any::<Vec<u8>>()),
        headers in any_headers(),
        body in any_body(),
    ) -> Answer {
        Answer {
            v: Version,
            id: RequestId::parse(id).unwrap(),
            activation: ActivationId::generate(),
            bundle: bundle.map(|bytes| BundleSha::of(&bytes)),
            attempt, status, headers, body, part, more,
        }
    }
}

proptest! {
    #[test]
    fn invokes_survive_in_any_number(invokes in prop::collection::vec(any_invoke(), 1..4)) {
        let payload = invokes.iter().flat_map(|invoke| encode_line(invoke).unwrap()).collect();
        prop_assert_eq!(decode_lines::<Invoke>(&payload).unwrap(), invokes);
    }

    #[test]
    fn the_head_agrees_with_the_whole(invoke in any_invoke()) {
        let line = encode_line(&invoke).unwrap();
        let head: InvokeHead<'_> = decode_line(&line).unwrap();
        prop_assert_eq!(
            (head.id, head.activation, head.namespace, head.deadline, head.attempt, head.bundle),
            (invoke.id, invoke.activation, invoke.namespace, invoke.deadline, invoke.attempt, invoke.bundle)
        );
        prop_assert_eq!(head.reply_to.as_deref(), invoke.reply_to.as_deref());
        prop_assert_eq!((head.host.as_ref(), head.path.as_ref()), (&*invoke.host, &*invoke.path));
    }

    #[test]
    fn answers_survive_in_any_number(answers in prop::collection::vec(any_answer(), 1..4)) {
        let payload = answers.iter().flat_map(|answer| encode_line(answer).unwrap()).collect();
        prop_assert_eq!(decode_lines::<Answer>(&payload).unwrap(), answers);
    }
}
