//! One function for each operationId of funcatron.yaml. `funcatron build` compiles them to func.wasm.

use funcatron_guest::{Func, Json, Request, serve};
use serde::Serialize;

#[derive(Serialize)]
struct Greeting {
    message: &'static str,
}

fn get_hello(_: &Request) -> Json<Greeting> {
    Json(Greeting { message: "hello" })
}

fn func() -> Func {
    Func::new().on("getHello", get_hello)
}

serve!(func);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hello_is_said() {
        let response = func().call(&Request::new("getHello"));
        assert_eq!(response.body(), br#"{"message":"hello"}"#);
    }
}
