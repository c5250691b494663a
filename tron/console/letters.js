// Dead letters: what was given up, to be looked at, tried again or thrown away.

import { at, get, path, send } from './api.js';
import { badge, confirm, empty, h, toast, to } from './dom.js';
import { bytes, count, moment, place } from './format.js';
import { failed, heading, repeat } from './page.js';
import { Table } from './table.js';

const PERIOD = 3000;
const SHOWN = 200;

export function show({ root, parts: [name], signal }) {
  if (name) queue(root, name, signal);
  else queues(root, signal);
}

function queues(root, signal) {
  const list = h('div');
  root.append(heading('Dead letters'), list);
  const table = new Table({
    label: 'Queues of dead letters',
    key: ({ name }) => name,
    onopen: ({ name }) => { location.hash = to('letters', [name]); },
    columns: [
      { title: 'Queue', kind: 'name', of: ({ name, route }) => ({ name, route }), show: named },
      { title: 'Messages', kind: 'number', of: (dead) => count(dead.count) },
      { title: 'Oldest', kind: 'number', of: ({ oldest }) => oldest && moment(oldest) },
      { title: '', of: ({ route }) => Boolean(route && !route.deployed), show: (gone) => (gone ? badge('route is gone', 'warn') : '') },
    ],
  });
  repeat(PERIOD, signal, async () => {
    try {
      const found = await get('/dead-letters', signal);
      table.update(found);
      list.replaceChildren(found.length ? table.element : none());
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(failed(error));
    }
  });
}

const OTHERS = { requests: 'Calls that nobody could read or route', results: 'Answers that nobody could read' };

function named({ name, route }) {
  return [
    h('a', { href: to('letters', [name]) }, (route ? route.title : OTHERS[name]) || name),
    h('code', {}, route ? place(route) : name),
  ];
}

function none() {
  return empty('Nothing was given up. A call is kept here when it cannot be begun again: its reason, attempts and last error with it. '
    + 'In a terminal:', 'funcatron dlq list');
}

function queue(root, name, signal) {
  const list = h('div');
  const again = h('button', { type: 'button', onclick: () => redrive(null) }, 'Try all again');
  const purge = h('button', { type: 'button', class: 'danger', onclick: () => throwAway(null) }, 'Throw all away');
  const actions = h('div', { class: 'row end', hidden: true }, again, purge);
  root.append(heading('Dead letters', h('code', { class: 'id' }, name), actions), list);
  const table = lettersTable((id) => redrive(id), (id) => throwAway(id));
  const here = path`/dead-letters/${name}`;

  const look = async () => {
    try {
      const found = await get(at(here, { limit: SHOWN }), signal);
      actions.hidden = found.length === 0;
      table.update(found);
      list.replaceChildren(found.length ? table.element : emptied());
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(failed(error));
    }
  };
  const act = async (doing) => {
    try {
      toast(await doing());
    } catch (error) {
      toast(error.message, 'bad');
    }
    if (!signal.aborted) await look();
  };
  const redrive = (id) => act(async () => {
    const { redriven, kept } = await send('POST', `${here}/redrive`, id ? { id } : {});
    return `${redriven} begun again${kept ? `; ${kept} stay, which nobody can read or no route takes` : ''}`;
  });
  const throwAway = async (id) => {
    const what = id ? 'this message' : 'every message in this queue';
    if (!await confirm(`Throw ${what} away?`, 'Whoever was promised the call hears no more of it. It cannot be brought back.', 'Throw away')) return;
    await act(async () => `${(await send('DELETE', at(here, { id }))).purged} thrown away`);
  };
  repeat(PERIOD, signal, look);
}

function emptied() {
  return h('div', {}, empty('There is nothing in this queue.'), h('p', {}, h('a', { href: to('letters') }, 'All queues')));
}

function lettersTable(redrive, throwAway) {
  return new Table({
    label: 'Dead letters',
    key: ({ id }) => id,
    columns: [
      { title: 'Given up', kind: 'mono', of: ({ at: given }) => given && moment(given) },
      { title: 'Call', kind: 'name', of: ({ call }) => call ?? null, show: called },
      { title: 'Reason', kind: 'text', of: ({ reason, last_error: error }) => ({ reason, error }), show: why },
      { title: 'Attempts', kind: 'number', of: ({ attempts }) => attempts ?? null },
      { title: 'Size', kind: 'number', of: ({ size }) => bytes(size) },
      { title: '', kind: 'actions', of: ({ id }) => id, show: (id) => [
        h('button', { type: 'button', class: 'quiet', onclick: () => redrive(id) }, 'Try again'),
        h('button', { type: 'button', class: 'quiet danger', onclick: () => throwAway(id) }, 'Throw away'),
      ] },
    ],
  });
}

function called({ method, host, path, request_id: id, async: promised }) {
  return [
    h('a', { href: to('requests', [id]) }, h('span', { class: `method ${method.toLowerCase()}` }, method), ' ', h('code', {}, path)),
    h('span', { class: 'faint' }, host, ' ', promised && badge('promised', 'plain')),
  ];
}

function why({ reason, error }) {
  return [h('span', {}, reason), error && h('span', { class: 'faint' }, error)].filter(Boolean);
}
