// What the engine gives its prelude; user code cannot reach it.
const { native } = globalThis;
delete globalThis.native;

export const { decodeUtf8, encodeUtf8, fetch, log, now, randomBytes, randomUnit, sleep } = native;
