// Requests: the latest executions, and the way to the one that somebody has the id of.

import { at, get } from './api.js';
import { badge, empty, field, h, select, to } from './dom.js';
import { ms, place, short, time } from './format.js';
import { failed, heading, repeat } from './page.js';
import { pulse } from './pulse.js';
import { Table } from './table.js';

const PERIOD = 2000;
const SHOWN = 100;

export function show({ root, query, signal }) {
  const table = activationsTable();
  const list = h('div');
  const wanted = { route: query.get('route') ?? '', problems: query.get('problems') === '1' };
  const id = h('input', { name: 'id', required: true, placeholder: 'Request id', 'aria-label': 'Request id', spellcheck: 'false', autocomplete: 'off' });
  const open = (event) => {
    event.preventDefault();
    location.hash = to('requests', [id.value.trim()]);
  };
  const routes = select([['', 'All routes']], '', { onchange: () => { wanted.route = routes.value; look(); } });
  offerRoutes(routes, wanted.route, signal);
  const problems = h('input', { type: 'checkbox', checked: wanted.problems, onchange: () => { wanted.problems = problems.checked; look(); } });
  root.append(
    heading('Requests', h('form', { class: 'row', onsubmit: open }, id, h('button', { type: 'submit' }, 'Show its story'))),
    h('div', { class: 'filters' }, field('Route', routes), h('label', { class: 'check' }, problems, 'Failed or slow only')),
    list);

  const look = async () => {
    try {
      const found = await get(at('/activations', { route: wanted.route, limit: wanted.problems ? 1000 : SHOWN }), signal);
      const rows = found.filter((activation) => !wanted.problems || isProblem(activation)).slice(-SHOWN).reverse();
      table.update(rows);
      list.replaceChildren(rows.length ? table.element : none(wanted.problems));
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(failed(error));
    }
  };
  repeat(PERIOD, signal, look);
}

function none(filtered) {
  if (filtered) return empty('No request that is kept failed or took over a second.');
  return empty('No requests are kept yet. Call a Func, as its API docs show, or from a terminal:', 'funcatron invoke OPERATION');
}

const SLOW_MS = 1000;

function isProblem({ status, error, queued_ms: queued, service_us: service }) {
  return status >= 500 || Boolean(error) || queued + service / 1000 > SLOW_MS;
}

/** Lets a choice offer the routes that there are. */
export function offerRoutes(choice, chosen, signal) {
  const offer = () => {
    const there = pulse.stats?.routes ?? [];
    if (there.length === choice.options.length - 1) return;
    const now = choice.value || chosen;
    choice.replaceChildren(choice.options[0], ...there.map((route) =>
      h('option', { value: route.id }, `${route.title ?? short(route.id)}  ${place(route)}`)));
    choice.value = there.some(({ id }) => id === now) ? now : '';
  };
  pulse.follow(offer, signal);
}

/** A table of executions. */
export function activationsTable({ withRoute = true } = {}) {
  return new Table({
    label: 'Requests',
    key: ({ id, attempt }) => `${id} ${attempt}`,
    onopen: (activation) => { location.hash = to('requests', [activation.request_id]); },
    columns: [
      { title: 'Time', kind: 'mono', of: ({ at: moment }) => time(moment) },
      { title: 'Status', of: ({ status }) => status, show: statusBadge },
      { title: 'Request', kind: 'name', of: ({ method, path, request_id: id }) => ({ method, path, id }), show: called },
      { title: 'Operation', of: ({ operation }) => operation ?? null },
      withRoute && { title: 'Bundle', kind: 'mono', of: ({ bundle }) => short(bundle) },
      { title: 'Queued', kind: 'number', of: (record) => (record.replay_of ? null : ms(record.queued_ms)) },
      { title: 'Ran', kind: 'number', of: ({ service_us: service }) => ms(service / 1000) },
      { title: 'Notes', kind: 'text', of: notes, show: (said) => said.map(([text, kind]) => badge(text, kind)) },
    ].filter(Boolean),
  });
}

function called({ method, path, id }) {
  return [h('a', { href: to('requests', [id]) }, h('span', { class: `method ${method.toLowerCase()}` }, method), ' ', h('code', {}, path))];
}

function notes({ attempt, error, logs = [], replay_of: replay, difference }) {
  return [
    attempt > 1 && [`attempt ${attempt}`, 'warn'],
    error && ['platform', 'bad'],
    replay && ['replay', 'plain'],
    difference && ['differs', 'warn'],
    logs.length > 0 && [`${logs.length} log line${logs.length > 1 ? 's' : ''}`, 'plain'],
  ].filter(Boolean);
}

/** A status with the colour of its class. */
export function statusBadge(status) {
  return badge(String(status), status >= 500 ? 'bad' : status >= 400 ? 'warn' : 'good');
}
