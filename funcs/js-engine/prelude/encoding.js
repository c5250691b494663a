// TextEncoder, TextDecoder (UTF-8), and what a body may be.
import { decodeUtf8, encodeUtf8 } from "funcatron:native";

export const encode = (text) => encodeUtf8(String(text).toWellFormed());

export const isBytes = (value) => value instanceof ArrayBuffer || ArrayBuffer.isView(value);

export function bytesOf(value) {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

globalThis.TextEncoder = class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return encode(text);
  }
};

globalThis.TextDecoder = class TextDecoder {
  constructor(label = "utf-8", { fatal = false } = {}) {
    if (!/^(utf-?8|unicode-1-1-utf-8)$/i.test(label)) throw new RangeError(`no such encoding here: ${label}`);
    this.fatal = fatal;
  }

  get encoding() {
    return "utf-8";
  }

  decode(bytes = new Uint8Array()) {
    return decodeUtf8(bytesOf(bytes), this.fatal);
  }
};
