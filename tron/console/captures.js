// Captures: calls of a route that are kept whole, to be run again.

import { get, path, send, upload } from './api.js';
import { badge, confirm, empty, field, h, select, toast, to } from './dom.js';
import { bytes, count, moment, place } from './format.js';
import { failed, heading, repeat } from './page.js';
import { offerRoutes } from './requests.js';
import { Table } from './table.js';

const PERIOD = 2000;

export function show({ root, query, signal }) {
  const list = h('div');
  const form = startForm(query.get('route') ?? '', signal);
  const file = h('input', { type: 'file', accept: '.jsonl,.ndjson,.json', 'aria-label': 'The file of a capture', hidden: true, onchange: () => bring(file) });
  root.append(
    heading('Captures', h('div', { class: 'row end' }, file, h('button', { type: 'button', onclick: () => file.click() }, 'Import a file'))),
    form, list);
  const table = capturesTable();
  repeat(PERIOD, signal, async () => {
    try {
      const found = await get('/captures', signal);
      found.sort((a, b) => (a.capture.from < b.capture.from ? 1 : -1));
      table.update(found);
      list.replaceChildren(found.length ? table.element : none());
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(failed(error));
    }
  });
}

function none() {
  return empty('No calls are kept yet. Choose a route above and start, or in a terminal:',
    'funcatron capture start ROUTE --for 10m\nfuncatron capture export ID -o calls.jsonl\nfuncatron replay calls.jsonl');
}

const TIMES = [['300', '5 minutes'], ['3600', 'an hour'], ['21600', '6 hours'], ['86400', 'a day']];

function startForm(chosen, signal) {
  const route = select([['', 'Choose a route']], '', { required: true });
  offerRoutes(route, chosen, signal);
  const sample = h('input', { type: 'number', min: 0.0001, max: 100, step: 'any', value: 100, required: true });
  const filter = h('input', { placeholder: 'status>=500, took>100ms', spellcheck: 'false', autocomplete: 'off' });
  const time = select(TIMES, '3600');
  const start = async (event) => {
    event.preventDefault();
    try {
      const filters = filter.value.split(',').map((each) => each.trim()).filter(Boolean);
      const made = await send('POST', '/captures',
        { route: route.value, sample: Number(sample.value), filters, for_seconds: Number(time.value) });
      toast('Calls are kept from now on');
      location.hash = to('captures', [made.capture.id]);
    } catch (error) {
      // Where in our own JSON it stands helps nobody.
      toast(error.message.replace(/ at line \d+ column \d+$/, ''), 'bad');
    }
  };
  return h('form', { class: 'filters', onsubmit: start },
    field('Route', route), field('Share of its calls, in percent', sample), field('Only those with', filter), field('For', time),
    h('button', { type: 'submit', class: 'primary' }, 'Start'));
}

async function bring(file) {
  const [chosen] = file.files;
  file.value = '';
  if (!chosen) return;
  try {
    const made = await upload('/captures/import', chosen, 'application/x-ndjson');
    location.hash = to('captures', [made.capture.id]);
  } catch (error) {
    toast(error.message, 'bad');
  }
}

function capturesTable() {
  return new Table({
    label: 'Captures',
    key: ({ capture }) => capture.id,
    onopen: ({ capture }) => { location.hash = to('captures', [capture.id]); },
    columns: [
      { title: 'Capture', kind: 'name', of: ({ capture, host, base_path }) => ({ id: capture.id, host, base_path }), show: ({ id, ...route }) => [
        h('a', { href: to('captures', [id]) }, h('code', {}, place(route))), h('code', {}, id)] },
      { title: 'State', of: ({ state }) => state, show: stateBadge },
      { title: 'Begun', kind: 'mono', of: ({ capture }) => moment(capture.from) },
      { title: 'Until', kind: 'mono', of: ({ capture, state }) => (isPlanned(state) ? moment(capture.until) : null) },
      { title: 'Which calls', kind: 'text', of: ({ capture }) => wanted(capture) },
      { title: 'Calls', kind: 'number', of: (info) => count(info.entries) },
      { title: 'Size', kind: 'number', of: (info) => bytes(info.bytes) },
      { title: 'Missed', kind: 'number', of: ({ missed }) => count(missed) },
    ],
  });
}

const STATES = { running: ['running', 'good'], full: ['full', 'warn'], stopped: ['stopped'], expired: ['over'], imported: ['imported'] };

/** Whether it runs, or why not. */
export function stateBadge(state) {
  return badge(...STATES[state] ?? [state]);
}

/** Whether it ends, or ended, when it was to: nothing says when another one did. */
export function isPlanned(state) {
  return state === 'running' || state === 'expired';
}

/** Which calls a capture is about, in words. */
export function wanted({ sample, filters = [] }) {
  const share = sample === 100 ? 'all' : `${sample} %`;
  return filters.length ? `${share} with ${filters.join(' and ')}` : share;
}

/** Asks, then deletes it. */
export async function remove(id) {
  const yes = await confirm('Delete this capture?', 'The calls that it keeps cannot be brought back. A file that was exported can be imported again.', 'Delete');
  if (yes) await send('DELETE', path`/captures/${id}`);
  return yes;
}
