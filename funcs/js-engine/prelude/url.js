// URLSearchParams.

const decode = (text) => {
  const spaced = text.replaceAll("+", " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
};
const encode = (text) =>
  encodeURIComponent(String(text).toWellFormed())
    .replaceAll("%20", "+")
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function pairsOf(init) {
  if (typeof init === "object" && init !== null) {
    const entries = init[Symbol.iterator] ? [...init] : Object.entries(init);
    return entries.map(([name, value]) => [String(name), String(value)]);
  }
  const parts = String(init).replace(/^\?/, "").split("&").filter(Boolean);
  return parts.map((part) => {
    const at = part.indexOf("=");
    return at < 0 ? [decode(part), ""] : [decode(part.slice(0, at)), decode(part.slice(at + 1))];
  });
}

globalThis.URLSearchParams = class URLSearchParams {
  #pairs;

  constructor(init = "") {
    this.#pairs = pairsOf(init);
  }

  get size() {
    return this.#pairs.length;
  }

  append(name, value) {
    this.#pairs.push([String(name), String(value)]);
  }

  delete(name) {
    this.#pairs = this.#pairs.filter(([key]) => key !== name);
  }

  get(name) {
    return this.#pairs.find(([key]) => key === name)?.[1] ?? null;
  }

  getAll(name) {
    return this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
  }

  has(name) {
    return this.#pairs.some(([key]) => key === name);
  }

  set(name, value) {
    const at = this.#pairs.findIndex(([key]) => key === name);
    if (at < 0) return this.append(name, value);
    this.#pairs = this.#pairs.filter(([key], index) => key !== name || index === at);
    this.#pairs[this.#pairs.findIndex(([key]) => key === name)][1] = String(value);
  }

  sort() {
    this.#pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  forEach(visit) {
    for (const [name, value] of this) visit(value, name, this);
  }

  *keys() {
    for (const [name] of this.#pairs) yield name;
  }

  *values() {
    for (const [, value] of this.#pairs) yield value;
  }

  *entries() {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toString() {
    return this.#pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&");
  }
};
