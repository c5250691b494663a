//! The smallest HTTP server that hyper makes: what every peer of ours in Rust stands behind.

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use http_body_util::Full;
use hyper::Response;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Answers every request of this port with what `answer` comes to.
///
/// # Errors
/// When the port cannot be listened on.
pub async fn serve<F, A>(port: u16, answer: F) -> Result<Infallible>
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future<Output = Result<Bytes>> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let answer = Arc::new(answer);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        let service = service_fn(move |_| {
            let body = answer();
            async move { Ok::<_, anyhow::Error>(response(body.await?)) }
        });
        // A connection ends when its client leaves; there is nobody to tell.
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

/// The body that everything in the benchmark answers.
pub fn hello() -> Bytes {
    Bytes::from_static(br#"{"message":"hello"}"#)
}

fn response(body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
