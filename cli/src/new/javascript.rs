//! Stubs in JavaScript: one exported function per operation.

use serde_json::{Value, json};
use swagger::{Document, Operation};

use super::answer::{Answer, Content};

/// Words that cannot name a function of a module.
const RESERVED: &[&str] = &[
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
    "Response",
];

/// The source with a stub for every operation.
pub(super) fn source(document: &Document) -> String {
    let head = "// One exported function for each operationId of the document. Each answers with an example for now.\n";
    let stubs = document.operations().iter().enumerate().map(|(at, operation)| stub(document, operation, at));
    stubs.fold(head.to_owned(), |source, stub| source + "\n" + &stub)
}

fn stub(document: &Document, operation: &Operation, at: usize) -> String {
    let answer = Answer::of(document, operation);
    let mut comments = vec![title(operation)];
    comments.extend(
        answer
            .faults(operation)
            .iter()
            .map(|fault| format!("the document will not take this example: {fault}")),
    );
    let comments: String = comments.iter().map(|text| format!("// {}\n", one_line(text))).collect();
    let (id, value) = (operation.id(), expression(&answer));
    if is_name(id) {
        return format!("{comments}export function {id}(request) {{\n  return {value};\n}}\n");
    }
    let name = format!("operation{}", at + 1);
    format!(
        "{comments}function {name}(request) {{\n  return {value};\n}}\nexport {{ {name} as {} }};\n",
        json!(id)
    )
}

/// What the stub is for, in one line.
pub(super) fn title(operation: &Operation) -> String {
    let call = format!("{} {}", operation.method(), operation.path());
    operation.summary().map_or_else(|| call.clone(), |summary| format!("{call}: {summary}"))
}

/// Text that stays in its line, whatever a document's author wrote.
pub(super) fn one_line(text: &str) -> String {
    text.split(|char: char| char.is_control() || matches!(char, '\u{2028}' | '\u{2029}'))
        .collect::<Vec<_>>()
        .join(" ")
}

fn expression(answer: &Answer) -> String {
    match &answer.body {
        None => format!("new Response(null, {})", init(answer, None)),
        Some(body) if is_plain(answer, body) => indented(&body.value),
        Some(body) if body.is_json() => {
            let media_type = (body.media_type != "application/json").then_some(body);
            format!("Response.json({}, {})", indented(&body.value), init(answer, media_type))
        }
        Some(body) => {
            let text = body.value.as_str().map_or_else(|| body.value.to_string(), str::to_owned);
            format!("new Response({}, {})", json!(text), init(answer, Some(body)))
        }
    }
}

/// Whether the value alone says it all.
fn is_plain(answer: &Answer, body: &Content) -> bool {
    let sent_as_json = !matches!(body.value, Value::String(_) | Value::Null);
    answer.status == 200 && answer.headers.is_empty() && body.media_type == "application/json" && sent_as_json
}

fn init(answer: &Answer, typed: Option<&Content>) -> String {
    let mut headers: Vec<(&str, &str)> =
        answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.extend(typed.map(|body| ("content-type", body.media_type.as_str())));
    if headers.is_empty() {
        return format!("{{ status: {} }}", answer.status);
    }
    let lines: Vec<String> =
        headers.iter().map(|(name, value)| format!("{}: {}", json!(name), json!(value))).collect();
    format!("{{ status: {}, headers: {{ {} }} }}", answer.status, lines.join(", "))
}

fn indented(value: &Value) -> String {
    format!("{value:#}").replace('\n', "\n  ")
}

fn is_name(id: &str) -> bool {
    let mut chars = id.chars();
    let begins = chars.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, '_' | '$'));
    begins
        && chars.all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | '$'))
        && !RESERVED.contains(&id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stubs(operation: &str) -> String {
        let document =
            format!("openapi: 3.0.3\ninfo: {{title: T, version: '1'}}\npaths: {{/a: {{get: {operation}}}}}");
        source(&Document::parse(document.as_bytes()).unwrap())
    }

    #[test]
    fn a_plain_json_answer_is_a_plain_value() {
        let source = stubs(
            "{operationId: getA, summary: Gets A, responses: {'200': {description: d, content: {application/json: \
             {schema: {type: object, properties: {id: {type: integer}}}}}}}}",
        );
        assert!(
            source.ends_with(
                "// GET /a: Gets A\nexport function getA(request) {\n  return {\n    \"id\": 1\n  };\n}\n"
            ),
            "{source}"
        );
    }

    #[test]
    fn status_and_type_are_said_when_they_are_not_the_usual() {
        let source = stubs("{operationId: a, responses: {'204': {description: d}}}");
        assert!(source.contains("return new Response(null, { status: 204 });"), "{source}");
        let source = stubs(
            "{operationId: a, responses: {'201': {description: d, content: {text/plain: {schema: {type: string}}}}}}",
        );
        assert!(
            source.contains(
                r#"new Response("text", { status: 201, headers: { "content-type": "text/plain" } })"#
            ),
            "{source}"
        );
    }

    #[test]
    fn an_operation_id_that_is_no_name_is_exported_under_it() {
        for id in ["get-a", "delete", "Response"] {
            let source = stubs(&format!("{{operationId: {id}, responses: {{'200': {{description: d}}}}}}"));
            assert!(source.contains(&format!("export {{ operation1 as \"{id}\" }};")), "{source}");
        }
    }

    #[test]
    fn a_summary_stays_in_its_comment() {
        let source =
            stubs("{operationId: a, summary: \"x\\nthrow 1\", responses: {'200': {description: d}}}");
        assert!(source.contains("// GET /a: x throw 1\n"), "{source}");
    }

    #[test]
    fn an_example_that_cannot_be_guessed_is_said() {
        let source = stubs(
            "{operationId: a, responses: {'200': {description: d, content: {application/json: \
             {schema: {type: object, required: [x], properties: {x: {type: string, pattern: '^[0-9]{9}$'}}}}}}}}",
        );
        assert!(source.contains("// the document will not take this example: /x: "), "{source}");
    }
}
