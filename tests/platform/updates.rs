//! Files of captured calls that are brought up to date hold no more secrets than they were captured with.

use std::fs;

use crate::quotes::{Quotes, entries, exits};

/// Answers with secrets in a list and in a cookie, and tells everybody what it was deployed with.
const DOCUMENT: &str = r#"
openapi: 3.1.0
info: { title: Quotes, version: "2" }
servers: [{ url: /quotes }]
components:
  securitySchemes: { bearer: { type: http, scheme: bearer } }
paths:
  /{n}:
    get:
      operationId: getQuote
      security: [{ bearer: [] }]
      parameters: [{ name: n, in: path, required: true, schema: { type: integer } }]
      responses:
        "200":
          description: Quotes.
          content:
            application/json:
              schema:
                properties:
                  items: { type: array, items: { properties: { token: { type: string, format: password } } } }
"#;
const SOURCE: &str = r#"
export async function getQuote({ params, props }) {
  const headers = { authorization: `Bearer ${props.key}` };
  const answer = await fetch(`${props.url}/price?of=${params.n}`, { headers });
  console.log(`${props.key} cookie-canary list-canary`);
  const body = { price: await answer.text(), items: [{ n: 1 }, { token: "list-canary" }], said: "list-canary" };
  return Response.json(body, { headers: { "set-cookie": "sid=cookie-canary; Path=/" } });
}
"#;

#[test]
fn a_file_that_is_updated_holds_no_secrets_but_those_that_were_asked_for() {
    let mut quotes = Quotes::start();
    let file = quotes.capture(1);
    quotes.prices.stop();
    let folder = quotes.platform.folder().to_owned();
    fs::create_dir(folder.join("leaky")).unwrap();
    fs::write(folder.join("leaky/funcatron.yaml"), DOCUMENT).unwrap();
    fs::write(folder.join("leaky/index.js"), SOURCE).unwrap();
    let update = ["replay", "captured.jsonl", "--against", "leaky", "-p", "key=prop-canary", "--update"];

    // The second time, the answers are those of the first.
    for came_to in ["0 the same, 1 different\n", "1 the same, 0 different\n"] {
        let told = exits(&quotes.alone(&update), 0);
        assert!(told.ends_with(came_to), "{told}");
        let updated = fs::read_to_string(&file).unwrap();
        assert!(!updated.contains("canary"), "{updated}");
        let entries = entries(&file);
        let entry = entries.iter().find(|entry| entry.invoke.path == "/quotes/0").unwrap();
        assert_eq!((entry.answer.status, entry.drawn.calls.is_empty()), (200, false));
        for place in [
            "invoke.headers.authorization",
            "answer.headers.set-cookie",
            "answer.body/items/1/token",
            "answer.body",
            "activation.logs.0",
            "drawn.calls.0.headers.authorization",
        ] {
            assert!(entry.redacted.iter().any(|own| own == place), "no {place} in {:?}", entry.redacted);
        }
    }

    let whole = fs::read_to_string(&file).unwrap();
    let (header, calls) = whole.split_once('\n').unwrap();
    let header = header.replacen("\"until\"", "\"secrets\":true,\"until\"", 1);
    fs::write(&file, format!("{header}\n{calls}")).unwrap();
    exits(&quotes.alone(&update), 0);
    let updated = fs::read_to_string(&file).unwrap();
    for canary in ["list-canary", "cookie-canary", "Bearer prop-canary", "prop-canary cookie"] {
        assert!(updated.contains(canary), "no {canary} in {updated}");
    }
}
