// Bundles: each has API docs.

import { get } from './api.js';
import { badge, empty, h, to } from './dom.js';
import { bytes, place, short } from './format.js';
import { heading, showing } from './page.js';
import { Table } from './table.js';

export function show({ root, signal }) {
  const list = h('div', {}, h('p', { class: 'hint' }, 'Reading …'));
  root.append(heading('API docs'), list);
  showing(list, signal, async () => {
    const [bundles, routes] = await Promise.all([get('/bundles', signal), get('/routes', signal)]);
    if (!bundles.length) return empty('There are no bundles yet. Each that is deployed has its API docs here:', 'funcatron deploy FOLDER');
    const table = bundlesTable();
    const serving = ({ sha }) => routes.filter(({ bundles: there }) => there.some((bundle) => bundle.sha === sha))
      .map((route) => ({ id: route.id, place: place(route) }));
    const rows = bundles.map((bundle) => ({ ...bundle, routes: serving(bundle) }));
    // What answers calls comes first.
    table.update(rows.sort((a, b) => Boolean(b.routes.length) - Boolean(a.routes.length)));
    return table.element;
  });
}

function bundlesTable() {
  return new Table({
    label: 'Bundles',
    key: ({ sha }) => sha,
    onopen: ({ sha }) => { location.hash = to('docs', [sha]); },
    columns: [
      { title: 'API', kind: 'name', of: ({ sha, title, version }) => ({ sha, title, version }), show: ({ sha, title, version }) => [
        h('a', { href: to('docs', [sha]) }, title || 'no title'), h('span', { class: 'faint' }, `version ${version}`)] },
      { title: 'Bundle', kind: 'mono', of: ({ sha }) => short(sha) },
      { title: 'Serves', of: ({ routes }) => routes, show: (routes) => (routes.length
        ? routes.map((route) => h('a', { class: 'share', href: to('routes', [route.id]) }, h('code', {}, route.place))) : badge('not deployed')) },
      { title: 'Code', of: ({ code }) => code },
      { title: 'Operations', kind: 'number', of: ({ operations }) => String(operations.length) },
      { title: 'Size', kind: 'number', of: ({ size }) => bytes(size) },
    ],
  });
}
