// Headers: names in lower case, in order, a repeated name kept as its own line.

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\uffff]*$/;

function nameOf(name) {
  if (!NAME.test(name)) throw new TypeError(`no header name: ${JSON.stringify(String(name))}`);
  return String(name).toLowerCase();
}

function valueOf(name, value) {
  const text = String(value).trim();
  if (!VALUE.test(text)) throw new TypeError(`no value for the header ${name}: ${JSON.stringify(text)}`);
  return text;
}

export class Headers {
  #lines = [];

  constructor(init = []) {
    const entries = init[Symbol.iterator] ? init : Object.entries(init);
    for (const [name, value] of entries) {
      for (const one of Array.isArray(value) ? value : [value]) this.append(name, one);
    }
  }

  append(name, value) {
    this.#lines.push([nameOf(name), valueOf(name, value)]);
  }

  delete(name) {
    const key = nameOf(name);
    this.#lines = this.#lines.filter(([other]) => other !== key);
  }

  get(name) {
    const key = nameOf(name);
    const values = this.#lines.filter(([other]) => other === key).map(([, value]) => value);
    return values.length ? values.join(", ") : null;
  }

  getSetCookie() {
    return this.#lines.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }

  has(name) {
    return this.get(name) !== null;
  }

  set(name, value) {
    this.delete(name);
    this.append(name, value);
  }

  forEach(visit) {
    for (const [name, value] of this) visit(value, name, this);
  }

  *keys() {
    for (const [name] of this.#lines) yield name;
  }

  *values() {
    for (const [, value] of this.#lines) yield value;
  }

  *entries() {
    for (const [name, value] of this.#lines) yield [name, value];
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  toJSON() {
    return Object.fromEntries([...this.keys()].map((name) => [name, this.get(name)]));
  }
}

globalThis.Headers = Headers;
