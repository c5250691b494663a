//! The templates, which are part of this program.

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::File;

/// The crate that a Func in Rust is written with: it is on no registry, so it comes along.
const GUEST: [(&str, &str); 7] = [
    ("lib.rs", include_str!("../../../funcs/guest/src/lib.rs")),
    ("func.rs", include_str!("../../../funcs/guest/src/func.rs")),
    ("host.rs", include_str!("../../../funcs/guest/src/host.rs")),
    ("problem.rs", include_str!("../../../funcs/guest/src/problem.rs")),
    ("request.rs", include_str!("../../../funcs/guest/src/request.rs")),
    ("response.rs", include_str!("../../../funcs/guest/src/response.rs")),
    ("wasm.rs", include_str!("../../../funcs/guest/src/wasm.rs")),
];

/// The template's code as a component, so that it answers before there is a compiler.
const HELLO_WASM: &[u8] = include_bytes!("../../../funcs/hello-rust/func.wasm");

/// What stands for the name in a template.
const PLACEHOLDER: &str = "NAME";

/// The name of a new Func, which is that of its folder.
pub(super) fn name(folder: &Path) -> Result<String> {
    let name = folder.file_name().with_context(|| format!("{} names no folder", folder.display()))?;
    let name = name.to_string_lossy();
    if slug(&name) != name {
        bail!("{name} is no name for a Func: use a-z, 0-9 and -, and begin with a letter");
    }
    Ok(name.into_owned())
}

/// A title as a name.
pub(super) fn slug(title: &str) -> String {
    let lower = title.to_ascii_lowercase();
    let words = lower.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    if name.starts_with(|char: char| char.is_ascii_lowercase()) { name } else { format!("func-{name}") }
}

/// A Func in JavaScript.
pub(super) fn javascript(name: &str) -> Vec<File> {
    vec![
        File::new("funcatron.yaml", named(include_str!("../../templates/js/funcatron.yaml"), name)),
        File::new("index.js", include_str!("../../templates/js/index.js")),
    ]
}

/// A Func in Rust.
pub(super) fn rust(name: &str) -> Vec<File> {
    let mut files = rust_package(name);
    files.push(File::new("funcatron.yaml", named(include_str!("../../templates/rust/funcatron.yaml"), name)));
    files.push(File::new("src/lib.rs", include_str!("../../../funcs/hello-rust/src/lib.rs")));
    files.push(File::new("func.wasm", HELLO_WASM));
    files
}

/// What a Func in Rust needs besides its source.
pub(super) fn rust_package(name: &str) -> Vec<File> {
    let mut files: Vec<File> = GUEST
        .iter()
        .map(|(file, source)| File::new(format!("funcatron-guest/src/{file}"), *source))
        .collect();
    files.push(File::new("funcatron-guest/Cargo.toml", include_str!("../../templates/rust/guest.toml")));
    files.push(File::new("Cargo.toml", named(include_str!("../../templates/rust/Cargo.toml"), name)));
    files.push(File::new(".gitignore", "target/\n"));
    files
}

fn named(template: &str, name: &str) -> String {
    template.replace(PLACEHOLDER, name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_guest_crate_is_embedded_whole() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../funcs/guest/src");
        let there: BTreeSet<String> = std::fs::read_dir(sources)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(GUEST.iter().map(|(name, _)| (*name).to_owned()).collect::<BTreeSet<_>>(), there);
    }

    #[test]
    fn names_are_safe_in_paths_and_manifests() {
        assert_eq!(slug("Swagger Petstore - OpenAPI 3.0"), "swagger-petstore-openapi-3-0");
        assert_eq!(slug("3 pets"), "func-3-pets");
        assert_eq!(name(Path::new("a/my-func")).unwrap(), "my-func");
        for refused in ["My Func", "ü", "a/..", "1st"] {
            assert!(name(Path::new(refused)).is_err(), "{refused}");
        }
    }
}
