//! The functions that the prelude gets from the host, in the object `native`.

use std::io::Write;

use rquickjs::prelude::Func;
use rquickjs::{Ctx, Exception, Object, Result, TypedArray};

use crate::{clock, fetch, random};

pub(crate) fn install(ctx: &Ctx) -> Result<()> {
    let native = Object::new(ctx.clone())?;
    native.set("log", Func::from(log))?;
    native.set("encodeUtf8", Func::from(encode_utf8))?;
    native.set("decodeUtf8", Func::from(decode_utf8))?;
    native.set("randomBytes", Func::from(random_bytes))?;
    native.set("randomUnit", Func::from(random::unit))?;
    native.set("now", Func::from(clock::now_ms))?;
    native.set("sleep", Func::from(clock::sleep_ms))?;
    native.set("fetch", Func::from(fetch::fetch))?;
    ctx.globals().set("native", native)?;
    install_base64(ctx)
}

/// A copy of the bytes of an array; none of one that is detached.
#[allow(unsafe_code, reason = "the bytes are copied before any script can run and change them")]
pub(crate) fn bytes_of(array: &TypedArray<u8>) -> Vec<u8> {
    unsafe { array.as_bytes() }.unwrap_or_default().to_vec()
}

#[allow(unsafe_code, reason = "rquickjs has no name for this intrinsic; the context is alive")]
fn install_base64(ctx: &Ctx) -> Result<()> {
    let added = unsafe { rquickjs::qjs::JS_AddIntrinsicAToB(ctx.as_raw().as_ptr()) };
    if added < 0 { Err(rquickjs::Error::Exception) } else { Ok(()) }
}

/// One write for a whole entry; a log that cannot be written must not fail the request.
fn log(is_error: bool, text: String) {
    let entry = text + "\n";
    let _ = match is_error {
        true => std::io::stderr().write_all(entry.as_bytes()),
        false => std::io::stdout().write_all(entry.as_bytes()),
    };
}

fn encode_utf8(ctx: Ctx<'_>, text: String) -> Result<TypedArray<'_, u8>> {
    TypedArray::new(ctx, text)
}

fn decode_utf8(ctx: Ctx, bytes: TypedArray<u8>, is_fatal: bool) -> Result<String> {
    let bytes = bytes_of(&bytes);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.into()),
        Err(error) if is_fatal => Err(Exception::throw_type(&ctx, &format!("not UTF-8: {error}"))),
        Err(_) => Ok(String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn random_bytes(ctx: Ctx<'_>, count: u32) -> Result<TypedArray<'_, u8>> {
    TypedArray::new(ctx, random::bytes(count))
}
