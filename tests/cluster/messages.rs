//! What goes over RabbitMQ, seen by a queue that gets a copy of everything.

use serde_json::json;

use crate::bodies::echo;
use crate::harness::{Platform, test_func};

const EXCHANGES: [&str; 4] =
    ["funcatron.requests", "funcatron.calls", "funcatron.replies", "funcatron.activations"];

#[test]
fn no_message_is_over_a_mebibyte_while_a_large_body_passes() {
    let platform = Platform::serving(&[&test_func("stream")]);
    let vhost = &platform.cluster.vhost;
    let queue = format!("/queues/{}/copies", vhost.name);
    vhost.put(&queue, &json!({}));
    for exchange in EXCHANGES {
        let binding = format!("/bindings/{}/e/{exchange}/q/copies", vhost.name);
        vhost.post(&binding, &json!({"routing_key": "#"}));
    }
    echo(&platform, 320);
    let get = json!({"count": 100, "ackmode": "ack_requeue_false", "encoding": "base64", "truncate": 1});
    let copies = vhost.post(&format!("{queue}/get"), &get);
    let sizes: Vec<u64> =
        copies.as_array().unwrap().iter().map(|copy| copy["payload_bytes"].as_u64().unwrap()).collect();
    // The request at each of its two queues, and the answer.
    assert!(sizes.len() >= 3, "{sizes:?}");
    assert!(sizes.iter().all(|&size| size < 1 << 20), "{sizes:?}");
}
