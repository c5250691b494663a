//! Any payload is messages or is refused; a message that was read is read the same again.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::{
    Activation, Answer, Control, Heartbeat, Invoke, InvokeHead, decode_line, decode_lines, encode_line,
};

fuzz_target!(|data: &[u8]| {
    let payload = Bytes::copy_from_slice(data);
    for invoke in decode_lines::<Invoke>(&payload).unwrap_or_default() {
        let line = encode_line(&invoke).expect("an invoke can be written");
        assert!(!line[..line.len() - 1].contains(&b'\n'));
        assert_eq!(decode_line::<Invoke>(&line).expect("what was written can be read"), invoke);
        decode_line::<InvokeHead<'_>>(&line).expect("an invoke has a head");
    }
    for answer in decode_lines::<Answer>(&payload).unwrap_or_default() {
        let line = encode_line(&answer).expect("an answer can be written");
        assert_eq!(decode_line::<Answer>(&line).expect("what was written can be read"), answer);
    }
    let _ = decode_line::<Control>(data);
    let _ = decode_line::<Heartbeat>(data);
    let _ = decode_line::<Activation>(data);
});
