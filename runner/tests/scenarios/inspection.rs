//! Inspection of uploaded bundles.

use runner::{InspectError, Inspector};
use swagger::Document;
use wire::{Bundle, Fault};

use crate::harness::{Deployment, config, root};

async fn faults(deployment: &Deployment) -> Vec<Fault> {
    let zip = Bundle::pack(&deployment.document, &deployment.code).unwrap();
    let bundle = Bundle::open(&zip).unwrap();
    let document = Document::parse(&bundle.document).unwrap();
    match Inspector::new(&config()).unwrap().inspect(&bundle, &document).await {
        Ok(()) => Vec::new(),
        Err(InspectError::Faults(faults)) => faults,
        Err(broken) => panic!("{broken:?}"),
    }
}

fn hello(source: &str) -> Deployment {
    let document = std::fs::read_to_string(root().join("funcs/hello-rust/funcatron.yaml")).unwrap();
    Deployment::javascript(&document, source)
}

#[tokio::test]
async fn the_samples_have_no_faults() {
    for folder in ["funcs/hello-rust", "funcs/hello-js", "funcs/echo", "tests/funcs/hostile"] {
        assert_eq!(faults(&Deployment::of(folder)).await, [], "{folder}");
    }
}

#[tokio::test]
async fn an_operation_without_a_function_is_named() {
    let faults = faults(&hello("export function getGoodbye() {}")).await;
    assert_eq!(faults.len(), 1);
    assert!(faults[0].reason.contains("getHello"), "{faults:?}");
    assert_eq!((&*faults[0].location, &*faults[0].pointer), ("bundle", "/index.js"));
}

#[tokio::test]
async fn an_error_of_the_source_is_named_with_its_place() {
    let faults = faults(&hello("export function getHello() {\n  return {;\n}")).await;
    assert!(faults[0].reason.contains("index.js:2:"), "{faults:?}");
    let endless = self::faults(&hello("for (;;) {}")).await;
    assert!(endless[0].reason.contains("computed for more than"), "{endless:?}");
}

#[tokio::test]
async fn code_that_is_no_func_is_refused_with_the_reason() {
    let document = std::fs::read(root().join("funcs/hello-rust/funcatron.yaml")).unwrap();
    for (wat, reason) in [
        ("(component)", "does not export wasi:http/incoming-handler"),
        ("(component (import \"acme:clock/now\" (instance (export \"now\" (func)))))", "acme:clock/now"),
        ("(module)", "core module"),
    ] {
        let code = wire::bundle::Code::Wasm(wat::parse_str(wat).unwrap().into());
        let faults = faults(&Deployment::new(&document, code)).await;
        assert!(faults[0].reason.contains(reason), "{wat}: {faults:?}");
    }
    let faults =
        faults(&Deployment::new(&document, wire::bundle::Code::Wasm(b"no wasm".to_vec().into()))).await;
    assert!(faults[0].reason.contains("not WebAssembly"), "{faults:?}");
}
