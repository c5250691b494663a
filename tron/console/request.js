// The story of one request: every time it was executed, where the time went and what was said.

import { at, get } from './api.js';
import { badge, empty, h, to } from './dom.js';
import { moment, ms, place, short, time } from './format.js';
import { failed, heading } from './page.js';
import { pulse } from './pulse.js';
import { statusBadge } from './requests.js';

/** Records come a moment after the answer. */
const LOOKS = 10;
const PERIOD = 500;

export function show({ root, parts: [id], signal }) {
  const story = h('div', { class: 'story', 'aria-live': 'polite' }, h('p', { class: 'hint' }, 'Looking for it …'));
  root.append(heading('Request', h('code', { class: 'id' }, id)), story);
  look(story, id, signal, LOOKS);
}

async function look(story, id, signal, left) {
  try {
    const found = await get(at('/activations', { request_id: id, limit: 100 }), signal);
    if (found.length) story.replaceChildren(...found.map(activation));
    else if (left === 0) story.replaceChildren(none(id));
    if (left > 0 && !signal.aborted) setTimeout(() => signal.aborted || look(story, id, signal, left - 1), PERIOD);
  } catch (error) {
    if (!signal.aborted) story.replaceChildren(failed(error));
  }
}

function none(id) {
  return empty(
    'Nothing that is kept belongs to this id. Trons keep the latest executions in memory; a call that waits has none yet. '
    + 'The id is in the header x-request-id of the response, and of every problem:',
    `curl -i … | grep -i x-request-id\nfuncatron logs --request-id ${id}`);
}

function activation(record) {
  return h('article', { class: 'card' },
    h('header', { class: 'row' },
      statusBadge(record.status),
      h('h2', {}, h('span', { class: `method ${record.method.toLowerCase()}` }, record.method), ' ', h('code', {}, record.path)),
      record.attempt > 1 && badge(`attempt ${record.attempt}`, 'warn'),
      record.replay_of && badge('replay', 'plain'),
      h('span', { class: 'faint end' }, moment(record.at))),
    record.error && h('div', { class: 'problem' }, h('p', {}, `The platform answered in the Func's place: ${record.error}`)),
    record.difference && h('div', { class: 'problem warn' }, h('p', {}, `The answer differs from the one before: ${record.difference}`)),
    timeline(record),
    h('div', { class: 'columns' }, facts(record), h('div', {}, h('h3', {}, 'What it printed'), printed(record))));
}

/** Where the time went: waiting, then running, and how much of that a processor was busy. */
function timeline({ queued_ms: waited, service_us: service, cpu_us: cpu = 0, replay_of: replay }) {
  // A replay is as old as the call that it was.
  const queued = replay ? 0 : waited;
  const ran = service / 1000;
  const all = queued + ran || 1;
  const part = (kind, title, length) => {
    const bar = h('span', { class: kind });
    bar.style.flexGrow = String(Math.max(length / all, 0.004));
    return { bar, figure: h('div', {}, h('dt', {}, h('i', { class: kind }), title), h('dd', {}, ms(length))) };
  };
  const parts = [part('queued', 'Waited', queued), part('ran', 'Ran', ran)];
  return h('div', { class: 'timeline' },
    h('div', { class: 'bars', 'aria-hidden': 'true' }, parts.map(({ bar }) => bar)),
    h('dl', { class: 'tiles small' }, parts.map(({ figure }) => figure),
      h('div', {}, h('dt', {}, 'Processor'), h('dd', {}, ms(cpu / 1000))),
      h('div', {}, h('dt', {}, 'Together'), h('dd', {}, ms(queued + ran)))));
}

function facts(record) {
  const route = pulse.stats?.routes.find(({ id }) => id === record.route);
  const rows = [
    ['Operation', record.operation
      ? h('a', { href: to('docs', [record.bundle], { open: record.operation }) }, record.operation) : 'none matched'],
    ['Bundle', h('a', { href: to('docs', [record.bundle]), title: record.bundle }, h('code', {}, short(record.bundle)))],
    ['Route', h('a', { href: to('routes', [record.route]), title: record.route }, h('code', {}, route ? place(route) : record.route))],
    ['Runner', h('code', {}, record.member)],
    ['Attempt', String(record.attempt)],
    ['Activation', h('code', {}, record.id)],
    record.replay_of && ['Replay of', h('code', {}, record.replay_of)],
  ].filter(Boolean);
  return h('dl', { class: 'facts' }, rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

/** What a Func printed during a call. */
export function printed({ logs = [], at: begun }) {
  if (!logs.length) return h('p', { class: 'hint' }, 'Nothing.');
  const since = (line) => `+${ms(Math.max(0, new Date(line.at) - new Date(begun)))}`;
  return h('ol', { class: 'lines' }, logs.map((line) => h('li', { class: line.level },
    h('time', { title: time(line.at) }, since(line)),
    h('span', { class: 'level' }, line.level),
    h('span', { class: 'said' }, line.text))));
}
