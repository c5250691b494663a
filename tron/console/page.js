// What views have in common: their heading, and how they say that something went wrong.

import { Problem } from './api.js';
import { h } from './dom.js';

/** The heading of a view, with what can be done there. */
export function heading(title, ...rest) {
  return h('div', { class: 'heading' }, h('h1', {}, title), rest);
}

/** A failure in words, with what the platform found. */
export function failed(error) {
  const faults = error.errors ?? [];
  return h('div', { class: 'problem', role: 'alert' },
    h('p', {}, error.message),
    faults.length > 0 && h('ul', {}, faults.map(({ in: where, pointer, reason }) =>
      h('li', {}, h('code', {}, `${where} ${pointer}`), ` ${reason}`))),
    error.requestId && h('p', { class: 'hint' }, `request ${error.requestId}`));
}

/** Shows what `make` comes to, or why it failed. */
export async function showing(place, signal, make) {
  try {
    const made = await make();
    if (!signal.aborted) place.replaceChildren(...[made].flat().filter(Boolean));
  } catch (error) {
    if (!signal.aborted) place.replaceChildren(failed(error));
  }
}

/** The one thing that was asked for by its id. Whether nothing has that id or nothing can have it, it is not there. */
export async function there(asked, what) {
  try {
    return await asked;
  } catch (error) {
    throw [400, 404].includes(error.status) ? new Problem({ status: error.status, detail: `There is no such ${what}.` }) : error;
  }
}

/** Does something again and again until the signal, and not while nobody looks. */
export function repeat(period, signal, act) {
  let timer;
  const turn = async () => {
    if (!document.hidden) await act();
    if (!signal.aborted) timer = setTimeout(turn, period);
  };
  signal.addEventListener('abort', () => clearTimeout(timer));
  turn();
}
