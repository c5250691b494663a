// Randomness and time of this instance, not of the snapshot that it was made from.
import { now, randomBytes, randomUnit } from "funcatron:native";

Object.defineProperty(Math, "random", { value: () => randomUnit(), writable: true, configurable: true });

globalThis.performance = { now: () => now() };

globalThis.crypto = {
  getRandomValues(array) {
    if (!ArrayBuffer.isView(array)) throw new TypeError("getRandomValues takes a typed array");
    if (array.byteLength > 65536) throw new RangeError("getRandomValues fills at most 65536 bytes");
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(randomBytes(array.byteLength));
    return array;
  },
  randomUUID() {
    const bytes = randomBytes(16);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
};
