// `Table`: rows that stay where they are when they are told anew, so that nothing jumps below the eye or
// loses the focus.

import { h } from './dom.js';

export class Table {
  /**
   * `columns` are `{ title, of, show, kind }`: `of` gives what a cell depends on, `show` makes a node of it; a cell
   * is made again only when that has changed. `key` names a row.
   */
  constructor({ label, columns, key, onopen }) {
    Object.assign(this, { columns, key, onopen, rows: new Map() });
    this.body = h('tbody');
    this.element = h('div', { class: 'table', role: 'region', 'aria-label': label, tabindex: 0 },
      h('table', {},
        h('thead', {}, h('tr', {}, columns.map(({ title, kind }) => h('th', { scope: 'col', class: kind }, title)))),
        this.body));
  }

  update(rows) {
    const wanted = new Set();
    let place = this.body.firstElementChild;
    for (const row of rows) {
      const key = this.key(row);
      wanted.add(key);
      const shown = this.rows.get(key) ?? this.add(key);
      shown.row = row;
      this.columns.forEach((column, index) => write(shown.cells[index], column, row));
      if (shown.element === place) place = place.nextElementSibling;
      else this.body.insertBefore(shown.element, place);
    }
    for (const [key, { element }] of this.rows) {
      if (wanted.has(key)) continue;
      element.remove();
      this.rows.delete(key);
    }
  }

  add(key) {
    const cells = this.columns.map(({ title, kind }) => ({ td: h('td', { class: kind, 'data-label': title }) }));
    const shown = { cells };
    // A click anywhere on the row is a shortcut; what it does is also a link or a button in it.
    const open = this.onopen && ((event) => event.target.closest('a, button, input') || this.onopen(shown.row));
    shown.element = h('tr', { class: open && 'open', onclick: open || undefined }, cells.map(({ td }) => td));
    this.rows.set(key, shown);
    return shown;
  }
}

function write(cell, { of, show = String }, row) {
  const value = of(row);
  const seen = JSON.stringify(value);
  if (seen === cell.seen) return;
  cell.seen = seen;
  cell.td.replaceChildren(...[value === null || value === undefined ? '–' : show(value, row)].flat());
}
