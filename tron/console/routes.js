// Routes and their health, the pools that serve them and who is there.

import { get } from './api.js';
import { Chart } from './chart.js';
import { badge, empty, h, to } from './dom.js';
import { count, moment, ms, place, short } from './format.js';
import { health, healthBadge } from './health.js';
import { failed, heading, repeat } from './page.js';
import { pulse } from './pulse.js';
import { Table } from './table.js';

/** What changes with a deployment only. */
const INFO_PERIOD = 5000;

export function show({ root, signal }) {
  const infos = new Map();
  const charts = new Map();
  const tiles = tilesOf();
  const alarms = h('div');
  const table = routesTable(infos, charts);
  const pools = poolsTable();
  const members = membersTable();
  const list = h('div');
  const poolsPart = h('section', { hidden: true }, h('h2', {}, 'Pools of runners'), pools.element);
  root.append(heading('Routes'), alarms, tiles.element, list,
    poolsPart, h('section', {}, h('h2', {}, 'Members'), members.element));

  const draw = () => {
    const { stats, failure } = pulse;
    const problems = failure ? [failed(failure)] : stats.alarms.map((text) => h('p', { class: 'problem' }, text));
    if (alarms.textContent !== problems.map((node) => node.textContent).join('')) alarms.replaceChildren(...problems);
    if (!stats) return;
    tiles.update(stats.routes);
    if (stats.routes.length === 0) list.replaceChildren(none());
    else if (!table.element.isConnected) list.replaceChildren(table.element);
    table.update(stats.routes.map((route) => ({ ...route, info: infos.get(route.id) })));
    for (const [id, chart] of charts) chart.update(pulse.history.get(id) ?? []);
    poolsPart.hidden = stats.pools.length === 0;
    pools.update(stats.pools);
  };
  pulse.follow(draw, signal);
  repeat(INFO_PERIOD, signal, async () => {
    try {
      const [routes, there] = await Promise.all([get('/routes', signal), get('/members', signal)]);
      infos.clear();
      for (const route of routes) infos.set(route.id, route);
      members.update(there);
      if (pulse.stats) draw();
    } catch {
      // The pulse says that nobody answers.
    }
  });
}

function none() {
  return empty('Nothing is deployed yet. Make a Func and deploy it:', 'funcatron new hello -t js\nfuncatron deploy hello');
}

/** The figures of all routes together. */
function tilesOf() {
  const sum = (routes, of) => routes.reduce((total, route) => total + (of(route) ?? 0), 0);
  const figures = [
    ['Calls a second', (routes) => sum(routes, ({ rate }) => rate)],
    ['Failing a second', (routes) => sum(routes, ({ failures }) => failures)],
    ['Waiting', (routes) => sum(routes, ({ queued, waiting }) => (queued ?? 0) + waiting)],
    ['Running', (routes) => sum(routes, (route) => route.in_flight)],
  ].map(([title, of]) => ({ of, title, value: h('dd', {}, '–') }));
  return {
    element: h('dl', { class: 'tiles' }, figures.map(({ title, value }) => h('div', {}, h('dt', {}, title), value))),
    update(routes) {
      for (const { of, value, title } of figures) {
        const figure = of(routes);
        value.textContent = count(Math.round(figure * 10) / 10);
        value.className = title.startsWith('Failing') && figure > 0 ? 'bad' : '';
      }
    },
  };
}

function routesTable(infos, charts) {
  const quantiles = (name) => (route) => route[name] && [ms(route[name].p50), ms(route[name].p99)];
  const two = ([median, most]) => [median, h('span', { class: 'most' }, most)];
  return new Table({
    label: 'Routes',
    key: ({ id }) => id,
    onopen: ({ id }) => { location.hash = to('routes', [id]); },
    columns: [
      { title: 'Route', kind: 'name', of: ({ id, title, host, base_path }) => ({ id, title, host, base_path }), show: named },
      { title: 'Health', of: (route) => health(route, route.info), show: healthBadge },
      { title: 'Last minute', kind: 'wide', of: ({ id }) => id, show: (id) => chartOf(charts, id) },
      { title: 'Calls/s', kind: 'number', of: ({ rate }) => count(rate) },
      { title: 'Failing/s', kind: 'number', of: ({ failures }) => failures && count(failures), show: failing },
      { title: 'Waiting', kind: 'number', of: ({ queued, waiting }) => count((queued ?? 0) + waiting) },
      { title: 'Queue p50, p99', kind: 'number', of: quantiles('queue_ms'), show: two },
      { title: 'Service p50, p99', kind: 'number', of: quantiles('service_ms'), show: two },
      { title: 'Runners', kind: 'number', of: ({ runners }) => count(runners) },
      { title: 'Bundles', of: ({ info }) => (info ? { bundles: info.bundles, trials: info.trials } : null), show: weights },
    ],
  });
}

function named({ id, title, host, base_path }) {
  return [h('a', { href: to('routes', [id]) }, title || 'no title'), h('code', {}, place({ host, base_path }))];
}

function failing(failures) {
  return failures === 0 ? '0' : h('span', { class: 'bad' }, failures);
}

function chartOf(charts, id) {
  const chart = new Chart('calls in the last minute');
  charts.set(id, chart);
  chart.update(pulse.history.get(id) ?? []);
  return chart.element;
}

/** The bundles of a route with their shares, and how those on trial do. */
export function weights({ bundles, trials = [] }) {
  const all = bundles.reduce((sum, { weight }) => sum + weight, 0) || 1;
  return bundles.map(({ sha, weight, trial }) => h('span', { class: 'share' },
    h('a', { href: to('docs', [sha]), title: sha }, h('code', {}, short(sha))),
    ` ${Math.round(weight * 100 / all)} %`,
    trial && badge(onTrial(trial, trials.find((report) => report.sha === sha)), 'warn')));
}

function onTrial({ mirror }, report) {
  const copies = report?.compared ? `: ${count(report.different)} of ${count(report.compared)} answered otherwise` : '';
  return `on trial, mirrors ${mirror} %${copies}`;
}

function poolsTable() {
  return new Table({
    label: 'Pools',
    key: ({ name }) => name,
    columns: [
      { title: 'Pool', of: ({ name }) => name },
      { title: 'By', of: ({ substrate }) => substrate },
      { title: 'Ready', kind: 'number', of: ({ ready, wanted }) => `${ready} of ${wanted}` },
      { title: 'Bounds', kind: 'number', of: (pool) => `${pool.runners_min} to ${pool.runners_max}` },
      { title: 'Cost/h', kind: 'number', of: (pool) => count(pool.cost_per_hour) },
      { title: 'Why', kind: 'text', of: ({ why, alarm }) => ({ why, alarm }), show: ({ why, alarm }) => [why, alarm && badge(alarm, 'bad')].filter(Boolean) },
    ],
  });
}

function membersTable() {
  return new Table({
    label: 'Members',
    key: ({ id }) => id,
    columns: [
      { title: 'Member', of: ({ id }) => id, show: (id) => h('code', {}, id) },
      { title: 'Role', of: ({ role }) => role },
      { title: 'Deployment', kind: 'number', of: ({ version }) => String(version) },
      { title: 'Last heard', kind: 'number', of: (member) => moment(member.seen_at) },
      { title: 'State', kind: 'text', of: ({ leaving, failed: lost }) => ({ leaving, lost }), show: state },
    ],
  });
}

function state({ leaving, lost }) {
  const failures = Object.entries(lost);
  if (failures.length) return failures.map(([queue, why]) => h('p', {}, badge('cannot load', 'bad'), ' ', h('code', {}, queue), ` ${why}`));
  return leaving ? badge('leaving', 'warn') : badge('there', 'good');
}
