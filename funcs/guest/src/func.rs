//! `Func`: the table from operationId to the function that answers it.

use serde_json::json;

use crate::{IntoResponse, Problem, Request, Response, Result};

type Handler = Box<dyn Fn(&Request) -> Result<Response>>;

/// The functions of one OpenAPI document, by operationId.
#[derive(Default)]
pub struct Func {
    operations: Vec<(&'static str, Handler)>,
}

impl Func {
    /// A Func without operations.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers `operation` (an operationId of the document) with `function`.
    pub fn on<R: IntoResponse>(
        mut self,
        operation: &'static str,
        function: impl Fn(&Request) -> R + 'static,
    ) -> Self {
        let handler = move |request: &Request| function(request).into_response();
        self.operations.push((operation, Box::new(handler)));
        self
    }

    /// Answers one request; a [`Problem`] that the function returns becomes its response.
    pub fn call(&self, request: &Request) -> Response {
        if request.header(DESCRIBE) == Some("operations") {
            return self.describe();
        }
        self.answer(request).unwrap_or_else(|problem| problem.response(request.id()))
    }

    fn answer(&self, request: &Request) -> Result<Response> {
        let operation = request.operation();
        let mut found = self.operations.iter();
        match found.find(|(name, _)| *name == operation) {
            Some((_, handler)) => handler(request),
            None => Err(Problem::internal(format!("no function for operation {operation:?}"))),
        }
    }

    /// The answer to the platform's question at upload: which operations are there?
    fn describe(&self) -> Response {
        let names: Vec<_> = self.operations.iter().map(|(name, _)| *name).collect();
        let body = json!({ "operations": names }).to_string();
        Response::bytes("application/json", body).header(DESCRIBE, "operations")
    }
}

const DESCRIBE: &str = "x-funcatron-describe";

/// Makes the crate a component that the platform runs: `serve!(func)`, where `func` is a function that
/// returns the [`Func`]. Natively it does nothing, so that tests link.
#[macro_export]
macro_rules! serve {
    ($func:path) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code, reason = "an export of a component is an unsafe extern function")]
        const _: () = {
            struct Component;

            impl $crate::wasm::Guest for Component {
                fn handle(request: $crate::wasm::IncomingRequest, out: $crate::wasm::ResponseOutparam) {
                    $crate::wasm::serve(&$func(), request, out);
                }
            }

            $crate::wasm::export!(Component);
        };
        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Func = $func;
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Json;

    fn double(request: &Request) -> Result<Json<i64>> {
        let number: i64 = request.path("number")?;
        match number {
            13 => Err(Problem::conflict("unlucky").with("number", 13)),
            number => Ok(Json(number * 2)),
        }
    }

    fn func() -> Func {
        Func::new().on("double", double).on("nothing", |_: &Request| ())
    }

    fn body(response: &Response) -> serde_json::Value {
        serde_json::from_slice(response.body()).unwrap()
    }

    #[test]
    fn operation_chooses_the_function() {
        let response = func().call(&Request::new("double").with_path("number", 4));
        assert_eq!((response.status_code(), response.body()), (200, &b"8"[..]));
        assert_eq!(func().call(&Request::new("nothing")).status_code(), 204);
    }

    #[test]
    fn problem_is_the_response_and_names_the_request() {
        let request = Request::new("double").with_path("number", 13).with_header("x-request-id", "r1");
        let response = func().call(&request);
        assert_eq!(response.status_code(), 409);
        assert_eq!(response.header_value("content-type"), Some("application/problem+json"));
        let expected = json!({
            "type": "about:blank", "title": "Conflict", "status": 409, "detail": "unlucky",
            "number": 13, "request_id": "r1",
        });
        assert_eq!(body(&response), expected);
    }

    #[test]
    fn unknown_operation_is_a_500_that_tells_clients_little() {
        let response = func().call(&Request::new("triple"));
        assert_eq!(response.status_code(), 500);
        assert_eq!(body(&response)["detail"], "the Func failed");
    }

    #[test]
    fn describe_lists_the_operations() {
        let request = Request::new("").with_header("X-Funcatron-Describe", "operations");
        let response = func().call(&request);
        assert_eq!(response.status_code(), 200);
        assert_eq!(response.header_value("x-funcatron-describe"), Some("operations"));
        assert_eq!(body(&response), json!({ "operations": ["double", "nothing"] }));
    }
}
