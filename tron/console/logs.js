// What Funcs print, as it comes.

import { at, lines } from './api.js';
import { badge, empty, field, h, select, to } from './dom.js';
import { short, time } from './format.js';
import { levelControl } from './level.js';
import { heading } from './page.js';
import { pulse } from './pulse.js';
import { offerRoutes } from './requests.js';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];
/** Lines that are held, and shown: what a person can scroll through. */
const KEPT = 2000;
/** Lines are shown together, some times a second. */
const DRAW_MS = 100;
const AGAIN_MS = 2000;
/** What is kept already comes sooner than this: until then nobody is told that there is nothing. */
const PATIENCE_MS = 500;
/** Closer to the end than this counts as being there. */
const END_PX = 40;

export function show({ root, query, signal }) {
  const tail = new Tail(query, signal);
  root.append(heading('Logs', tail.state), tail.filters, tail.none, tail.list);
  tail.connect();
}

class Tail {
  kept = [];
  waiting = [];
  paused = false;

  constructor(query, signal) {
    this.signal = signal;
    this.list = h('ol', { class: 'lines log', role: 'log', 'aria-live': 'off', 'aria-label': 'Log lines', tabindex: 0 });
    this.none = h('div');
    this.state = h('span', { class: 'hint', role: 'status' });
    this.route = select([['', 'All routes']], '', { onchange: () => this.again() });
    this.chosen = query.get('route') ?? '';
    offerRoutes(this.route, this.chosen, signal);
    this.level = select(LEVELS.map((level) => [level, level === 'trace' ? 'All levels' : `${level} and above`]), query.get('level') ?? 'trace', { onchange: () => this.redraw() });
    this.text = h('input', { type: 'search', placeholder: 'Words, an id, an operation', spellcheck: 'false', value: query.get('text') ?? '', oninput: () => this.redraw() });
    this.pause = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => this.toggle() }, 'Pause');
    const clear = h('button', { type: 'button', onclick: () => this.clear() }, 'Clear');
    this.keeping = levelControl(() => this.route.value || this.chosen, signal);
    this.filters = h('div', { class: 'filters' },
      field('Route', this.route), field('Level', this.level), field('Has the text', this.text), this.keeping.element,
      h('div', { class: 'row end' }, this.pause, clear));
  }

  /** Follows the lines of the chosen route until another is chosen or somebody leaves. */
  async connect() {
    this.stop?.abort();
    this.stop = new AbortController();
    const stop = this.stop;
    this.signal.addEventListener('abort', () => stop.abort(), { once: true });
    const path = at('/logs', { route: this.route.value || this.chosen, limit: 500, follow: true });
    while (!stop.signal.aborted) {
      this.state.textContent = this.paused ? this.state.textContent : 'live';
      try {
        setTimeout(() => this.drawNone(), PATIENCE_MS);
        for await (const line of lines(path, stop.signal)) this.take(line);
        this.state.textContent = 'the stream ended; connecting again';
      } catch (error) {
        if (stop.signal.aborted) return;
        this.state.textContent = `${error.message}; trying again`;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      // What was told before is told again.
      if (!stop.signal.aborted) this.clear();
    }
  }

  again() {
    this.chosen = this.route.value;
    this.clear();
    this.keeping.look();
    this.connect();
  }

  take(line) {
    this.waiting.push(line);
    if (this.waiting.length > KEPT) this.waiting.shift();
    this.timer ??= setTimeout(() => this.flush(), DRAW_MS);
  }

  flush() {
    this.timer = undefined;
    if (this.signal.aborted) return;
    if (this.paused) {
      this.state.textContent = `paused, ${this.waiting.length} new`;
      return;
    }
    const came = this.waiting.splice(0);
    this.kept.push(...came);
    this.kept.splice(0, this.kept.length - KEPT);
    this.append(came);
  }

  append(came) {
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < END_PX;
    this.list.append(...came.filter((line) => this.wants(line)).map(row));
    while (this.list.childElementCount > KEPT) this.list.firstElementChild.remove();
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
    this.drawNone();
  }

  redraw() {
    this.list.replaceChildren();
    this.append(this.kept);
    this.list.scrollTop = this.list.scrollHeight;
  }

  clear() {
    this.kept = [];
    this.waiting = [];
    this.list.replaceChildren();
    setTimeout(() => this.drawNone(), PATIENCE_MS);
  }

  toggle() {
    this.paused = !this.paused;
    this.pause.textContent = this.paused ? 'Resume' : 'Pause';
    this.pause.setAttribute('aria-pressed', String(this.paused));
    this.state.textContent = this.paused ? 'paused' : 'live';
    if (!this.paused) this.flush();
  }

  wants(line) {
    if (line.missed) return true;
    if (LEVELS.indexOf(line.level) < LEVELS.indexOf(this.level.value)) return false;
    const text = this.text.value.trim().toLowerCase();
    return !text || [line.text, line.request_id, line.operation, line.bundle].some((part) => part?.toLowerCase().includes(text));
  }

  drawNone() {
    if (this.signal.aborted) return;
    const nothing = this.list.childElementCount === 0;
    this.list.hidden = nothing;
    const why = !nothing ? '' : this.kept.length ? 'filtered' : 'nothing';
    if (this.none.dataset.why === why) return;
    this.none.dataset.why = why;
    this.none.replaceChildren(...(nothing ? [none(why)] : []));
  }
}

function none(why) {
  if (why === 'filtered') return empty('None of the lines that came passes the filters above.');
  return empty('Nothing was printed lately. Lines appear here as Funcs print them. To see more of a route for a while, choose it above, '
    + 'or in a terminal:', 'funcatron log-level ROUTE debug --for 10m');
}

function row(line) {
  if (line.missed) return h('li', { class: 'missed' }, `${line.missed} records were lost here: more came than could be told`);
  const title = pulse.stats?.routes.find(({ id }) => id === line.route)?.title;
  return h('li', { class: line.level },
    h('time', { title: line.at }, time(line.at)),
    h('span', { class: 'level' }, line.level),
    h('a', { href: to('requests', [line.request_id]), title: `the story of request ${line.request_id}` }, line.operation ?? title ?? short(line.route)),
    h('span', { class: 'said' }, line.replay_of && [badge('replay'), ' '], line.text));
}
