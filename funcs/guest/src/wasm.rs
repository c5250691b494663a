//! The wasi:http side: reads the request, writes the response.

use std::io::{self, Read, Write};

pub use wasip2::exports::http::incoming_handler::Guest;
pub use wasip2::http::proxy::export;
pub use wasip2::http::types::{IncomingRequest, ResponseOutparam};

use wasip2::http::types::{ErrorCode, Fields, Method, OutgoingBody, OutgoingResponse};

use crate::{Func, Problem, Request, Response, Result, host};

/// Answers one request with `func`.
pub fn serve(func: &Func, incoming: IncomingRequest, out: ResponseOutparam) {
    answer(incoming, out, |request| func.call(request));
}

/// Answers one request with what `call` makes of it.
pub fn answer(incoming: IncomingRequest, out: ResponseOutparam, call: impl FnOnce(&Request) -> Response) {
    let request = match read(incoming) {
        Ok(request) => request,
        Err(error) => return refuse(out, format!("read the request: {error}")),
    };
    let mut response = call(&request);
    let outgoing = outgoing(&response).or_else(|problem| {
        response = problem.response(request.id());
        outgoing(&response)
    });
    match outgoing {
        Ok(outgoing) => send(outgoing, out, response.body()),
        Err(problem) => refuse(out, problem.detail().into()),
    }
}

pub(crate) fn variable(name: &str) -> Option<String> {
    let mut variables = wasip2::cli::environment::get_environment().into_iter();
    variables.find(|(key, _)| key == name).map(|(_, value)| value)
}

fn refuse(out: ResponseOutparam, error: String) {
    host::log(&error);
    ResponseOutparam::set(out, Err(ErrorCode::InternalError(Some(error))));
}

fn read(incoming: IncomingRequest) -> io::Result<Request> {
    let method = method(incoming.method());
    let uri = incoming.path_with_query().unwrap_or_default();
    let headers = incoming.headers().entries();
    let mut body = Vec::new();
    if let Ok(stream) = incoming.consume() {
        stream.stream().map_err(|()| io::Error::other("no stream"))?.read_to_end(&mut body)?;
    }
    Ok(Request::received(method, uri, headers, body))
}

fn method(method: Method) -> String {
    let name = match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => return name,
    };
    name.into()
}

/// The head of the response; what the host does not take is the Func's mistake.
fn outgoing(response: &Response) -> Result<OutgoingResponse> {
    let fields = Fields::new();
    for (name, value) in response.headers() {
        let appended = fields.append(name, value.as_bytes());
        appended.map_err(|error| Problem::internal(format!("response header {name}: {error}")))?;
    }
    let outgoing = OutgoingResponse::new(fields);
    let status = response.status_code();
    let set = outgoing.set_status_code(status);
    set.map_err(|()| Problem::internal(format!("{status} is no status")))?;
    Ok(outgoing)
}

fn send(outgoing: OutgoingResponse, out: ResponseOutparam, bytes: &[u8]) {
    let body = outgoing.body();
    ResponseOutparam::set(out, Ok(outgoing));
    if let Ok(body) = body
        && let Err(error) = write(body, bytes)
    {
        host::log(&format!("write the response: {error}"));
    }
}

fn write(body: OutgoingBody, bytes: &[u8]) -> io::Result<()> {
    if !bytes.is_empty() {
        let mut stream = body.write().map_err(|()| io::Error::other("no stream"))?;
        stream.write_all(bytes)?;
        Write::flush(&mut stream)?;
    }
    OutgoingBody::finish(body, None).map_err(io::Error::other)
}
