//! The copying, on wasi:http directly: the SDK holds bodies whole.

use std::io::Write;

use wasip2::exports::http::incoming_handler::Guest;
use wasip2::http::types::{Fields, IncomingRequest, OutgoingBody, OutgoingResponse, ResponseOutparam};

/// What is held at a time.
const PIECE_BYTES: u64 = 64 << 10;

struct Component;

#[allow(unsafe_code, reason = "an export of a component is an unsafe extern function")]
const _: () = {
    wasip2::http::proxy::export!(Component);
};

impl Guest for Component {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        let fields = Fields::new();
        for media_type in request.headers().get("content-type") {
            let _ = fields.append("content-type", &media_type);
        }
        let response = OutgoingResponse::new(fields);
        let Ok(body) = response.body() else { return };
        ResponseOutparam::set(out, Ok(response));
        copy(&request, &body);
        let _ = OutgoingBody::finish(body, None);
    }
}

/// Copies until either side fails, and keeps quiet about it: that the platform does not is what is tested.
fn copy(request: &IncomingRequest, body: &OutgoingBody) {
    let Ok(incoming) = request.consume() else { return };
    let (Ok(from), Ok(mut to)) = (incoming.stream(), body.write()) else { return };
    while let Ok(piece) = from.blocking_read(PIECE_BYTES) {
        if to.write_all(&piece).is_err() {
            return;
        }
    }
    let _ = to.flush();
}
