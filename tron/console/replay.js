// `Replay`: captured calls, run again by a bundle, and where its answers differ. Each goes through the platform with
// what the Func drew from outside; nothing leaves the sandbox. Tron compares, as it knows the document.

import { path, sendText } from './api.js';
import { badge, field, h, select, to } from './dom.js';
import { count, ms, short, time } from './format.js';
import { failed } from './page.js';
import { members, object } from './raw.js';
import { statusBadge } from './requests.js';
import { Table } from './table.js';

/** Calls that run at a time. */
const TOGETHER = 4;

/** The last run: who looks at one of its calls finds it when they come back. */
let last = null;

export class Replay {
  constructor(capture, entries, route, signal) {
    Object.assign(this, { capture, entries, route, signal, outcomes: new Map() });
    this.summary = h('div', { class: 'summary-of-replay', 'aria-live': 'polite' });
    this.differences = h('div', { 'aria-live': 'polite' });
    this.table = this.entriesTable();
    this.button = h('button', { type: 'button', class: 'primary', onclick: () => this.run() }, `Run ${count(entries.length)} again`);
    this.bundle = select((route?.bundles ?? []).map(({ sha, weight }) => [sha, `${short(sha)} (${weight} %)`]), route?.bundles[0]?.sha);
    this.recall();
    const against = route ? h('div', { class: 'filters' }, field('By the bundle', this.bundle), this.button)
      : h('p', { class: 'hint' }, 'The route of these calls is gone: deploy a bundle there to run them again.');
    this.element = h('section', {}, against, this.summary, this.differences, this.table.element);
    this.draw();
  }

  // What a bundle that is gone came to could not be compared with anything.
  recall() {
    if (last?.capture !== this.capture.id || !this.route?.bundles.some(({ sha }) => sha === last.bundle)) return;
    this.outcomes = last.outcomes;
    this.bundle.value = last.bundle;
  }

  async run() {
    this.outcomes = new Map();
    last = { capture: this.capture.id, bundle: this.bundle.value, outcomes: this.outcomes };
    this.differences.replaceChildren();
    this.button.disabled = true;
    const left = [...this.entries];
    const turn = async () => {
      for (let next = left.shift(); next && !this.signal.aborted; next = left.shift()) {
        const outcome = await this.again(next);
        if (this.signal.aborted) return;
        this.outcomes.set(next.entry.activation.id, outcome);
        this.draw();
      }
    };
    await Promise.all(Array.from({ length: TOGETHER }, turn));
    this.button.disabled = false;
  }

  /** Runs one of them again: how its answer differs, or why there is none. */
  async again({ text, entry }) {
    try {
      const called = await sendText('POST', path`/routes/${this.capture.route}/calls`, this.callOf(text, entry), this.signal);
      return { differences: called.differences ?? [], status: called.answer.status };
    } catch (error) {
      return { error };
    }
  }

  // The parts of the entry are passed on as they are, to the byte.
  callOf(text, entry) {
    const parts = members(text);
    const invoke = members(parts.get('invoke'));
    const same = ['method', 'path', 'query', 'headers', 'body', 'id', 'at', 'scheme', 'host', 'client'];
    const replay = object({ of: JSON.stringify(entry.activation.id), drawn: parts.get('drawn'), expected: parts.get('answer') });
    return object({
      ...Object.fromEntries(same.map((name) => [name, invoke.get(name)])),
      bundle: JSON.stringify(this.bundle.value),
      replay,
      redacted: parts.get('redacted'),
    });
  }

  draw() {
    this.table.update(this.entries.map(({ entry }) => ({ ...entry, outcome: this.outcomes.get(entry.activation.id) })));
    if (this.outcomes.size) this.summary.replaceChildren(...this.byOperation());
  }

  byOperation() {
    const rows = new Map();
    for (const { entry } of this.entries) {
      const outcome = this.outcomes.get(entry.activation.id);
      if (!outcome) continue;
      const name = entry.activation.operation ?? 'no operation';
      const row = rows.get(name) ?? { same: 0, different: 0, failed: 0 };
      row[outcome.error ? 'failed' : outcome.differences.length ? 'different' : 'same'] += 1;
      rows.set(name, row);
    }
    const kinds = { same: 'good', different: 'bad', failed: 'warn' };
    const line = ([name, row]) => h('p', { class: 'row' }, h('strong', {}, name),
      Object.entries(kinds).filter(([kind]) => row[kind]).map(([kind, colour]) => badge(`${count(row[kind])} ${kind}`, colour)));
    return [h('p', { class: 'hint' }, `${count(this.outcomes.size)} of ${count(this.entries.length)} were run again`), ...[...rows].map(line)];
  }

  showDifferences({ activation, invoke, outcome }) {
    const shown = outcome.error ? failed(outcome.error) : differencesTable(outcome.differences);
    this.differences.replaceChildren(h('article', { class: 'card differences' },
      h('h2', {}, h('span', { class: `method ${invoke.method.toLowerCase()}` }, invoke.method), ' ', h('code', {}, invoke.path)),
      shown, h('p', {}, h('a', { href: to('captures', [this.capture.id, activation.id]) }, 'The call as it was'))));
    this.differences.scrollIntoView({ block: 'nearest' });
  }

  entriesTable() {
    return new Table({
      label: 'Captured calls',
      key: ({ activation }) => activation.id,
      columns: [
        { title: 'Time', kind: 'mono', of: ({ invoke }) => time(invoke.at) },
        { title: 'Status', of: ({ answer }) => answer.status, show: statusBadge },
        { title: 'Call', kind: 'name', of: ({ invoke, activation }) => ({ method: invoke.method, path: invoke.path, id: activation.id }),
          show: ({ method, path, id }) => [h('a', { href: to('captures', [this.capture.id, id]) },
            h('span', { class: `method ${method.toLowerCase()}` }, method), ' ', h('code', {}, path))] },
        { title: 'Operation', of: ({ activation }) => activation.operation ?? null },
        { title: 'Bundle', kind: 'mono', of: ({ activation }) => short(activation.bundle) },
        { title: 'Ran', kind: 'number', of: ({ activation }) => ms(activation.service_us / 1000) },
        { title: 'Run again', of: ({ outcome, activation }) => outcome && { id: activation.id, count: outcome.differences?.length, failed: Boolean(outcome.error) },
          show: (value, row) => this.verdict(value, row) },
      ],
    });
  }

  verdict({ count: differences, failed: broke }, row) {
    if (differences === 0) return badge('same', 'good');
    const text = broke ? 'no answer' : `${differences} difference${differences > 1 ? 's' : ''}`;
    return h('button', { type: 'button', class: 'quiet danger', onclick: () => this.showDifferences(row) }, text);
  }
}

function differencesTable(differences) {
  const table = new Table({
    label: 'Differences',
    key: ({ place }) => place,
    columns: [
      { title: 'Place', kind: 'mono', of: ({ place }) => place },
      { title: 'It was', kind: 'text', of: ({ expected }) => expected, show: (value) => h('code', { class: 'was' }, value) },
      { title: 'It is', kind: 'text', of: ({ actual }) => actual, show: (value) => h('code', { class: 'now' }, value) },
    ],
  });
  table.update(differences);
  return table.element;
}
