//! A Func that gives back what it got.

use funcatron_guest::{Func, Json, Request, Response, Result, serve};
use serde_json::{Map, Value, json};

/// The bytes of the body, under the content type that they came with.
fn echo(request: &Request) -> Response {
    let content_type = request.header("content-type");
    Response::bytes(content_type.unwrap_or("application/octet-stream"), request.body())
}

/// All that the Func is told besides the body.
fn describe(request: &Request) -> Result<Json<Value>> {
    Ok(Json(json!({
        "id": request.id(),
        "operation": request.operation(),
        "method": request.method(),
        "uri": request.uri(),
        "query": { "tag": request.query::<Vec<String>>("tag")?.unwrap_or_default() },
        "headers": headers(request),
        "props": request.props::<Value>()?,
        "body_bytes": request.body().len(),
    })))
}

fn headers(request: &Request) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let lines = headers.entry(name).or_insert_with(|| json!([]));
        if let Value::Array(lines) = lines {
            lines.push(String::from_utf8_lossy(value).into());
        }
    }
    headers
}

fn func() -> Func {
    let echoes = ["echoPost", "echoPut", "echoPatch", "echoDelete"];
    let func = echoes.into_iter().fold(Func::new(), |func, name| func.on(name, echo));
    func.on("echoGet", describe).on("describe", describe)
}

serve!(func);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_their_type_come_back() {
        let request = Request::new("echoPost").with_body("image/png", [0, 255, 13, 10]);
        let response = func().call(&request);
        assert_eq!(response.body(), [0, 255, 13, 10]);
        assert_eq!(response.header_value("content-type"), Some("image/png"));
    }

    #[test]
    fn description_tells_what_the_func_is_told() {
        let request = Request::new("describe")
            .with_method("PUT")
            .with_header("x-a", "1")
            .with_header("x-a", "2")
            .with_query("tag", ["a", "b"])
            .with_body("text/plain", "four");
        let response = func().call(&request);
        let told: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(told["method"], "PUT");
        assert_eq!(told["query"]["tag"], json!(["a", "b"]));
        assert_eq!(told["headers"]["x-a"], json!(["1", "2"]));
        assert_eq!(told["body_bytes"], 4);
    }
}
