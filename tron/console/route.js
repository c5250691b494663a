// One route: its figures, what serves it, what it did lately.

import { at, get, path } from './api.js';
import { Chart } from './chart.js';
import { empty, h, to } from './dom.js';
import { count, ms, percent, place } from './format.js';
import { health, healthBadge } from './health.js';
import { failed, heading, repeat, showing, there } from './page.js';
import { pulse } from './pulse.js';
import { weights } from './routes.js';
import { activationsTable } from './requests.js';

const PERIOD = 2000;
const INFO_PERIOD = 5000;
const SHOWN = 25;

export function show({ root, parts: [id], signal }) {
  const content = h('div');
  root.append(content);
  showing(content, signal, async () => page(id, await there(get(path`/routes/${id}`, signal), 'route'), signal));
}

function page(id, info, signal) {
  const figures = h('dl', { class: 'tiles' });
  const word = h('span');
  const chart = new Chart('calls in the last two minutes', { height: 60, points: 120 });
  const scale = h('p', { class: 'hint' });
  pulse.follow(() => {
    const stats = pulse.stats?.routes.find((route) => route.id === id);
    if (!stats) return;
    const verdict = health(stats, info);
    if (word.textContent !== verdict.word) word.replaceChildren(healthBadge(verdict));
    figures.replaceChildren(...tiles(stats));
    const top = chart.update(pulse.history.get(id) ?? []);
    scale.textContent = `Calls a second in the last two minutes, up to ${count(top)}`;
  }, signal);

  const serves = h('div', {}, facts(info));
  // How trials do changes while somebody looks.
  repeat(INFO_PERIOD, signal, async () => {
    try {
      const now = await get(path`/routes/${id}`, signal);
      if (JSON.stringify([now.bundles, now.trials]) !== JSON.stringify([info.bundles, info.trials])) serves.replaceChildren(facts(now));
      info = now;
    } catch {
      // It may just have been removed; what was true of it stays.
    }
  });

  return [
    heading(info.title || place(info), word),
    h('p', { class: 'where' }, h('code', {}, `${info.host === '*' ? 'any host, ' : info.host}${info.base_path}`), h('code', { class: 'faint' }, id)),
    info.alarm && h('p', { class: 'problem' }, info.alarm),
    figures,
    h('div', { class: 'card chart-large' }, scale, chart.element),
    h('div', { class: 'columns' },
      h('section', {}, h('h2', {}, 'Serves'), serves),
      h('section', {}, h('h2', {}, 'Operations'), operations(info))),
    h('section', {}, h('h2', {}, 'Latest requests'), latest(id, signal)),
  ];
}

function tiles(stats) {
  const two = (quantiles) => (quantiles ? `${ms(quantiles.p50)} / ${ms(quantiles.p99)}` : '–');
  const share = stats.rate > 0 ? stats.failures / stats.rate : 0;
  return [
    ['Calls a second', count(stats.rate)],
    ['Failing', percent(Math.min(1, share)), stats.failures > 0 && 'bad'],
    ['Waiting / running', `${count((stats.queued ?? 0) + stats.waiting)} / ${count(stats.in_flight)}`],
    ['Queue p50 / p99', two(stats.queue_ms)],
    ['Service p50 / p99', two(stats.service_ms)],
    ['Processor per call', stats.cpu_ms === null ? '–' : ms(stats.cpu_ms)],
  ].map(([title, value, kind]) => h('div', {}, h('dt', {}, title), h('dd', { class: kind || null }, value)));
}

function facts(info) {
  const rows = [
    ['Bundles', weights(info)],
    ['May call', info.outbound.length ? info.outbound.join(', ') : 'no other host'],
    ['Settings', info.props.length ? info.props.join(', ') : 'none'],
    ['See', [
      h('a', { href: to('logs', [], { route: info.id }) }, 'logs'), ' · ',
      h('a', { href: to('captures', [], { route: info.id }) }, 'capture'), ' · ',
      h('a', { href: to('letters', [info.id]) }, 'dead letters')]],
  ];
  return h('dl', { class: 'facts' }, rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));
}

function operations(info) {
  const sha = info.bundles[0]?.sha;
  return h('ul', { class: 'operations' }, info.operations.map(({ id, method, path }) =>
    h('li', {}, h('a', { href: to('docs', [sha], { open: id }) },
      h('span', { class: `method ${method.toLowerCase()}` }, method), ' ', h('code', {}, path)))));
}

function latest(route, signal) {
  const table = activationsTable({ withRoute: false });
  const place = h('div', {}, table.element);
  repeat(PERIOD, signal, async () => {
    try {
      const found = await get(at('/activations', { route, limit: SHOWN }), signal);
      table.update(found.reverse());
      place.replaceChildren(found.length ? table.element : empty('Nobody has called it lately.'));
    } catch (error) {
      if (!signal.aborted) place.replaceChildren(failed(error));
    }
  });
  return place;
}
