//! Stubs in Rust: one plain function per operation.

use std::collections::BTreeSet;

use swagger::{Document, Operation};

use super::answer::Answer;
use super::javascript::{one_line, title};

/// Words of Rust that an operationId could turn into.
const RESERVED: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "func", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self",
    "serve", "static", "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized",
    "use", "virtual", "where", "while", "yield",
];

/// The source with a stub for every operation.
pub(super) fn source(document: &Document) -> String {
    let mut names = BTreeSet::new();
    let (mut stubs, mut table) = (String::new(), String::new());
    for operation in document.operations() {
        let name = unused(&mut names, snake_case(operation.id()));
        stubs += &stub(document, operation, &name);
        table += &format!("\n        .on({:?}, {name})", operation.id());
    }
    format!(
        "//! One function for each operationId of the document. Each answers with an example for now.\n\n\
         use funcatron_guest::{{Func, Request, Response, Result, serve}};\n\n\
         {stubs}fn func() -> Func {{\n    Func::new(){table}\n}}\n\nserve!(func);\n"
    )
}

fn stub(document: &Document, operation: &Operation, name: &str) -> String {
    let answer = Answer::of(document, operation);
    let faults = answer.faults(operation);
    let faults: String = faults
        .iter()
        .map(|fault| format!("// The document will not take this example: {}\n", one_line(fault)))
        .collect();
    let comment = one_line(&title(operation));
    format!(
        "/// {comment}\n{faults}fn {name}(_: &Request) -> Result {{\n    Ok({})\n}}\n\n",
        expression(&answer)
    )
}

fn expression(answer: &Answer) -> String {
    let Answer { status, headers, body } = answer;
    let made = match body {
        None => format!("Response::new({status})"),
        Some(body) if body.is_json() => {
            let status = if *status == 200 { String::new() } else { format!(".status({status})") };
            format!(
                "Response::bytes({}, {}){status}",
                raw(&body.media_type),
                raw(&format!("{:#}", body.value))
            )
        }
        Some(body) => {
            let text = body.value.as_str().map_or_else(|| body.value.to_string(), str::to_owned);
            format!("Response::bytes({}, {}).status({status})", raw(&body.media_type), raw(&text))
        }
    };
    headers.iter().fold(made, |made, (name, value)| format!("{made}.header({}, {})", raw(name), raw(value)))
}

/// A literal of this text, behind more hashes than the text has in a row.
fn raw(text: &str) -> String {
    let mut hashes = "#".to_owned();
    while text.contains(&format!("\"{hashes}")) {
        hashes.push('#');
    }
    format!("r{hashes}\"{text}\"{hashes}")
}

fn unused(names: &mut BTreeSet<String>, name: String) -> String {
    let mut name = name;
    while !names.insert(name.clone()) {
        name.push('_');
    }
    name
}

fn snake_case(id: &str) -> String {
    let mut name = String::new();
    let mut after_lower = false;
    for char in id.chars() {
        if !char.is_ascii_alphanumeric() {
            after_lower = false;
            if !name.ends_with('_') {
                name.push('_');
            }
            continue;
        }
        if char.is_ascii_uppercase() && after_lower {
            name.push('_');
        }
        after_lower = !char.is_ascii_uppercase();
        name.push(char.to_ascii_lowercase());
    }
    let begins = name.starts_with(|char: char| char.is_ascii_lowercase());
    if RESERVED.contains(&name.as_str()) || !begins { format!("operation_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_habits_of_rust() {
        for (id, name) in [
            ("getPetById", "get_pet_by_id"),
            ("list-pets", "list_pets"),
            ("type", "operation_type"),
            ("1st", "operation_1st"),
            ("getURL", "get_url"),
        ] {
            assert_eq!(snake_case(id), name);
        }
    }

    #[test]
    fn two_operations_never_share_a_function() {
        let mut names = BTreeSet::new();
        assert_eq!(unused(&mut names, "a".into()), "a");
        assert_eq!(unused(&mut names, "a".into()), "a_");
    }

    #[test]
    fn a_literal_cannot_be_left_from_inside() {
        assert_eq!(raw("a\"#b"), "r##\"a\"#b\"##");
    }
}
