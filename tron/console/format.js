// Figures and times as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function rounded(number) {
  if (number === 0) return '0';
  if (number >= 100) return whole.format(number);
  return number.toFixed(number >= 10 ? 1 : 2).replace(/\.?0+$/, '') || '0';
}

/** A count, or a rate. */
export function count(number) {
  if (number >= 1e6) return `${rounded(number / 1e6)} M`;
  return Number.isInteger(number) ? whole.format(number) : rounded(number);
}

/** A time, given in milliseconds. */
export function ms(time) {
  if (time >= 100_000) return `${rounded(time / 60_000)} min`;
  if (time >= 1000) return `${rounded(time / 1000)} s`;
  return `${rounded(time)} ms`;
}

/** A size. */
export function bytes(size) {
  if (size >= 1 << 30) return `${rounded(size / (1 << 30))} GiB`;
  if (size >= 1 << 20) return `${rounded(size / (1 << 20))} MiB`;
  if (size >= 1 << 10) return `${rounded(size / (1 << 10))} KiB`;
  return `${size} B`;
}

/** A share of 1 in percent. */
export function percent(share) {
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${rounded(share * 100)} %`;
}

const clock = (date) => [date.getHours(), date.getMinutes(), date.getSeconds()]
  .map((part) => String(part).padStart(2, '0')).join(':');

/** The time of day, to the millisecond. */
export function time(timestamp) {
  const date = new Date(timestamp);
  return Number.isNaN(date.getTime()) ? String(timestamp) : `${clock(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** A moment, with the day unless it is today. */
export function moment(timestamp) {
  const date = new Date(timestamp);
  if (Number.isNaN(date.getTime())) return String(timestamp);
  const day = date.toDateString() === new Date().toDateString() ? '' : `${date.toLocaleDateString('en-CA')} `;
  return day + clock(date);
}

/** A hash as far as people compare it. */
export function short(sha) {
  return String(sha).slice(0, 8);
}

/** Where a route is. */
export function place({ host, base_path: basePath }) {
  return `${host === '*' ? '' : host}${basePath}`;
}

/** A body of a message as text. */
export function bodyText(body) {
  if (!body) return '';
  if ('json' in body) return JSON.stringify(body.json, null, 2);
  if ('text' in body) return body.text;
  if ('base64' in body) return decoded(body.base64) ?? `(${Math.floor(body.base64.length * 3 / 4)} bytes that are no text)`;
  return `(${bytes(body.len)} in the store)`;
}

function decoded(base64) {
  try {
    const text = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(text);
  } catch {
    return null;
  }
}

/** JSON laid out, and anything else as it is. */
export function laidOut(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
