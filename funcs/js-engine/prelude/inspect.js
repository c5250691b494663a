// Any value as one readable piece of text, for the log.

export function inspect(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return describeError(value);
  return nested(value);
}

export function describeError(error) {
  const stack = userFrames(error).map((frame) => `\n    at ${frame}`).join("");
  const cause = error.cause === undefined ? "" : `\n  caused by ${inspect(error.cause)}`;
  return `${headline(error)}${stack}${cause}`;
}

export function headline(error) {
  if (!(error instanceof Error)) return `thrown: ${nested(error)}`;
  return error.message ? `${error.name}: ${error.message}` : `${error.name}`;
}

// The frames of the user's own source: "getPet (index.js:3:9)".
export function userFrames(error) {
  if (typeof error?.stack !== "string") return [];
  const lines = error.stack.split("\n").map((line) => line.trim().replace(/^at /, ""));
  return lines.filter((line) => /:\d+:\d+\)?$/.test(line) && !line.includes("funcatron:"));
}

function nested(value) {
  const seen = [];
  const text = JSON.stringify(value, function (key, _) {
    const item = this[key]; // before its toJSON
    if (typeof item === "bigint") return `${item}n`;
    if (typeof item === "function") return `[function ${item.name || "anonymous"}]`;
    if (typeof item === "symbol") return item.toString();
    if (item === undefined && key !== "") return "[undefined]";
    if (typeof item === "number" && !Number.isFinite(item)) return String(item);
    if (item === null || typeof item !== "object") return item;
    while (seen.length && seen.at(-1) !== this) seen.pop();
    if (seen.includes(item)) return "[circular]";
    return shown(item, seen);
  });
  return text ?? String(value);
}

function shown(item, seen) {
  if (item instanceof Error) return describeError(item);
  if (typeof item.toJSON === "function") return item.toJSON();
  let plain = item;
  if (item instanceof Map) plain = [...item];
  else if (item instanceof Set || ArrayBuffer.isView(item)) plain = [...item];
  seen.push(plain);
  return plain;
}
