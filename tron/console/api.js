// The admin API, asked with the token that the person gave. The token is kept for this tab alone.

import { exact } from './raw.js';

const BASE = new URL('../api/v1', document.baseURI).href;
const KEPT = 'funcatron-token';

/** What went wrong, in words for the person. */
export class Problem extends Error {
  constructor({ status = 0, detail, title, errors = [], request_id: requestId } = {}) {
    super(detail || title || `the admin API answered ${status}`);
    Object.assign(this, { status, errors, requestId });
  }
}

export const session = {
  get token() { return sessionStorage.getItem(KEPT); },
  keep(token) { sessionStorage.setItem(KEPT, token); },
  forget() { sessionStorage.removeItem(KEPT); },

  /** Takes over a token that came with the address, and takes it out of there. A fragment is never sent anywhere. */
  takeFromAddress() {
    const given = /^#token=([^&]+)/.exec(location.hash);
    if (!given) return;
    session.keep(decodeURIComponent(given[1]));
    history.replaceState(null, '', `${location.pathname}${location.search}#/routes`);
  },
};

/** Told when the token is missing or wrong. */
export const doorkeeper = new EventTarget();

async function ask(method, path, { body, type, signal } = {}) {
  const headers = { authorization: `Bearer ${session.token ?? ''}` };
  if (body !== undefined) headers['content-type'] = type ?? 'application/json';
  let response;
  try {
    response = await fetch(BASE + path, { method, headers, body, signal, cache: 'no-store', credentials: 'omit' });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem({ detail: `Tron does not answer at ${new URL(BASE).host}; it may have been stopped` });
  }
  if (response.ok) return response;
  if (response.status === 401) doorkeeper.dispatchEvent(new Event('refused'));
  throw new Problem(await response.json().catch(() => ({ status: response.status })));
}

/** What is there. */
export async function get(path, signal) {
  return read(await ask('GET', path, { signal }));
}

/** Does something; what came of it, if anything is said. */
export async function send(method, path, value, signal) {
  return sendText(method, path, value === undefined ? undefined : JSON.stringify(value), signal);
}

/** The same with JSON that is written already. */
export async function sendText(method, path, body, signal) {
  return read(await ask(method, path, { body, signal }));
}

async function read(response) {
  const text = await response.text();
  return text === '' ? null : exact(text);
}

/** Sends a file. */
export async function upload(path, file, type) {
  return read(await ask('POST', path, { body: file, type }));
}

/**
 * Where something is: path`/captures/${id}`. Each value is one part of it, whatever it holds: what comes with an address
 * or an answer leads nowhere else.
 */
export function path(texts, ...values) {
  return String.raw({ raw: texts }, ...values.map(part));
}

function part(value) {
  const text = String(value);
  // Browsers fold these, and take one that is empty for none.
  if (['', '.', '..'].includes(text)) throw new Problem({ detail: `nothing is called ${JSON.stringify(text)}` });
  return encodeURIComponent(text);
}

/** A path with its query; what is empty is left out. */
export function at(path, query) {
  const wanted = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return wanted.length ? `${path}?${new URLSearchParams(wanted)}` : path;
}

/** Lines of a response as they come, which are values unless `make` makes something else of them. */
export async function* lines(path, signal, make = exact) {
  const response = await ask('GET', path, { signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const parts = (rest + value).split('\n');
      rest = parts.pop();
      for (const part of parts) if (part.trim()) yield make(part);
    }
    if (rest.trim()) yield make(rest);
  } finally {
    // Whoever reads no further does not keep the connection.
    reader.cancel().catch(() => {});
  }
}
