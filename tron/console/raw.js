// JSON whose text matters: what is sent on has to be what was there, to the byte, and numbers may have more digits
// than this language keeps. Pure.

/** The members of an object as their texts, without reading them. */
export function members(text) {
  const found = new Map();
  let at = space(text, 0);
  if (text[at] !== '{') return found;
  at = space(text, at + 1);
  while (at < text.length && text[at] !== '}') {
    const nameEnd = valueEnd(text, at);
    const name = JSON.parse(text.slice(at, nameEnd));
    const begin = space(text, space(text, nameEnd) + 1);
    const end = valueEnd(text, begin);
    found.set(name, text.slice(begin, end));
    at = space(text, end);
    if (text[at] === ',') at = space(text, at + 1);
  }
  return found;
}

function space(text, from) {
  let at = from;
  while (' \t\n\r'.includes(text[at]) && at < text.length) at += 1;
  return at;
}

/** Where the value ends that begins here. */
function valueEnd(text, from) {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') {
      at = stringEnd(text, at);
      if (depth === 0) return at + 1;
    } else if (char === '{' || char === '[') {
      depth += 1;
    } else if (char === '}' || char === ']') {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && ', \t\n\r:'.includes(char)) {
      return at;
    }
  }
  return text.length;
}

function stringEnd(text, from) {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}

/** An object of members whose values are texts of JSON; what is undefined is left out. */
export function object(values) {
  const written = Object.entries(values).filter(([, value]) => value !== undefined);
  return `{${written.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

/** Reads JSON; whole numbers that would lose digits keep them for when they are written again. */
export function exact(text) {
  const keep = (_, value, context) => {
    const loses = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '');
    return loses && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
  };
  return JSON.parse(text, keep);
}

/** The number, to the digits that this language keeps. */
export function approximate(value) {
  return typeof value === 'object' ? Number(value.rawJSON) : value;
}
