//! The bounded HTTP/1.1 server that the frontend and the admin API share.

mod body;
mod body_reader;
mod countdown;
mod framing;
mod inbound;
mod limits;
mod request;
mod response;
mod server;

use std::future::Future;
use std::net::SocketAddr;

use hyper::body::Incoming;

pub use body::{Lines, ResponseBody};
pub use body_reader::{Begun, BodyError, BodyReader, read_body};
pub use limits::Limits;
pub use request::request_id;
pub use response::{X_REQUEST_ID, full, lines, problem, streamed_lines};
pub use server::serve;

use crate::Component;

/// A request as it arrives, its body still on the way.
///
/// Its framing is sound: one length or one `transfer-encoding: chunked`, never both. What hyper would
/// have settled in silence was refused before.
pub type Request = ::http::Request<Incoming>;

/// A response, whole or streamed.
pub type Response = ::http::Response<ResponseBody>;

/// Answers requests.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Who the server's own refusals come from.
    const COMPONENT: Component;

    /// Answers one request from `client`. Dropped unfinished when the client leaves.
    fn handle(&self, request: Request, client: SocketAddr) -> impl Future<Output = Response> + Send;
}
