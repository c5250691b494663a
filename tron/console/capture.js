// One capture: what it keeps, one call of it, and how a bundle would answer them now.

import { Problem, get, lines, path, send } from './api.js';
import { empty, h, save, toast, to } from './dom.js';
import { bytes, count, moment, place } from './format.js';
import { isPlanned, remove, stateBadge, wanted } from './captures.js';
import { failed, heading, showing, there } from './page.js';
import { exact } from './raw.js';
import { entryPart } from './entry.js';
import { Replay } from './replay.js';

/** Calls that are shown and run again here; a file of more is for a terminal. */
const SHOWN = 500;

export function show({ root, parts: [id, entry], signal }) {
  const content = h('div', {}, h('p', { class: 'hint' }, 'Reading …'));
  root.append(content);
  showing(content, signal, async () => {
    const info = await there(get(path`/captures/${id}`, signal), 'capture');
    // What is done below is done to the one that is shown.
    if (info.capture.id !== id) throw new Problem({ detail: `asked for capture ${id}, the answer is about another` });
    const [entries, route] = await Promise.all([read(id, signal), get(path`/routes/${info.capture.route}`, signal).catch(() => null)]);
    return entry ? one(info, entries, entry) : page(info, entries, route, signal);
  });
}

/** The oldest calls of it, each with its text as it was. */
async function read(id, signal) {
  const entries = [];
  for await (const text of lines(path`/captures/${id}/export`, signal, (line) => line)) {
    const entry = exact(text);
    if (entry.invoke) entries.push({ text, entry });
    if (entries.length >= SHOWN) break;
  }
  return entries;
}

function page(info, entries, route, signal) {
  const { capture } = info;
  const replay = new Replay(capture, entries, route, signal);
  return [
    heading(place(info), stateBadge(info.state), h('code', { class: 'id' }, capture.id), actions(info)),
    h('p', { class: 'where' }, [`calls: ${wanted(capture)}`, `from ${moment(capture.from)}${isPlanned(info.state) ? ` until ${moment(capture.until)}` : ''}`,
      `kept until ${moment(capture.delete_at)}`, `asked for by ${capture.by}`].map((text) => h('span', {}, text))),
    h('dl', { class: 'tiles' }, [['Calls', count(info.entries)], ['Size', bytes(info.bytes)], ['Missed', count(info.missed)]]
      .map(([title, value]) => h('div', {}, h('dt', {}, title), h('dd', {}, value)))),
    entries.length ? replay.element : nothing(info),
    info.entries > entries.length && entries.length === SHOWN && h('div', {}, h('p', { class: 'hint' },
      `The oldest ${SHOWN} calls are shown. All of them are run again in a terminal:`),
    h('pre', {}, `funcatron capture export ${capture.id} -o calls.jsonl\nfuncatron replay calls.jsonl`)),
  ];
}

function nothing({ state }) {
  return empty(state === 'running' ? 'No call was kept yet. Whatever comes from now on is.' : 'No call was kept while it ran.');
}

function actions({ capture, state }) {
  const act = (doing) => async () => {
    try {
      await doing();
    } catch (error) {
      toast(error.message, 'bad');
    }
  };
  const again = () => dispatchEvent(new Event('hashchange'));
  const stop = act(async () => { await send('POST', path`/captures/${capture.id}/stop`); again(); });
  const drop = act(async () => { if (await remove(capture.id)) location.hash = to('captures'); });
  const download = act(async () => {
    const all = [];
    for await (const line of lines(path`/captures/${capture.id}/export`, undefined, (text) => text)) all.push(line, '\n');
    save(`${capture.id}.jsonl`, new Blob(all, { type: 'application/x-ndjson' }));
  });
  return h('div', { class: 'row end' },
    h('button', { type: 'button', onclick: again }, 'Read again'),
    state === 'running' && h('button', { type: 'button', onclick: stop }, 'Stop'),
    h('button', { type: 'button', onclick: download }, 'Download'),
    h('button', { type: 'button', class: 'danger', onclick: drop }, 'Delete'));
}

function one(info, entries, activation) {
  const found = entries.find(({ entry }) => entry.activation.id === activation);
  const top = heading('Captured call', h('a', { href: to('captures', [info.capture.id]) }, `all of ${place(info)}`));
  return [top, found ? entryPart(found.entry) : failed(new Error(`This call is not among the oldest ${SHOWN} of the capture.`))];
}
