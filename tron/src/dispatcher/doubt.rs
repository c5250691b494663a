//! What may have been passed on before says so when it is passed on again. Pure.

use bytes::Bytes;
use wire::Invoke;

/// The first attempt of which it is known that there may have been another.
const SECOND: u32 = 2;

/// The line of a call that may be in its Func's queue already, or may have been. Whoever gets this one takes
/// the call for one that was begun: what cannot be repeated is not begun again. Other lines stay as they are.
pub(super) fn cast(line: &Bytes) -> Bytes {
    let doubted = wire::decode_line::<Invoke>(line).ok().filter(|invoke| invoke.attempt < SECOND);
    let doubted = doubted.and_then(|invoke| wire::encode_line(&Invoke { attempt: SECOND, ..invoke }).ok());
    doubted.and_then(|line| wire::split_lines(&line).next()).unwrap_or_else(|| line.clone())
}
