//! Any bytes are a bundle or are refused; the parts of a bundle make a bundle of the same parts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire::Bundle;

fuzz_target!(|data: &[u8]| {
    let Ok(bundle) = Bundle::open(data) else { return };
    let packed = Bundle::pack(&bundle.document, &bundle.code).expect("parts within their limits");
    let again = Bundle::open(&packed).expect("what was packed opens");
    assert_eq!((again.document, again.code), (bundle.document, bundle.code));
});
