// `Pulse`: what the platform does at present, asked once a second for every view, with the last minutes of it.

import { Problem, get, session } from './api.js';

const PERIOD = 1000;
/** Two minutes. */
const KEPT = 120;
/** A tab that nobody looks at asks seldom. */
const HIDDEN_PERIOD = 10_000;

class Pulse extends EventTarget {
  stats = null;
  failure = null;
  history = new Map();

  start() {
    const beat = async () => {
      if (session.token) await this.ask();
      setTimeout(beat, document.hidden ? HIDDEN_PERIOD : PERIOD);
    };
    beat();
  }

  async ask() {
    try {
      this.take(await get('/stats'));
      this.failure = null;
    } catch (error) {
      this.failure = error instanceof Problem ? error : new Problem({ detail: String(error) });
    }
    this.dispatchEvent(new Event('beat'));
  }

  take(stats) {
    this.stats = stats;
    const there = new Set(stats.routes.map(({ id }) => id));
    for (const id of this.history.keys()) if (!there.has(id)) this.history.delete(id);
    for (const { id, rate, failures } of stats.routes) {
      const kept = this.history.get(id) ?? [];
      kept.push({ rate, failures });
      if (kept.length > KEPT) kept.shift();
      this.history.set(id, kept);
    }
  }

  /** Calls `show` now, if there is something to show, and at each beat, until the signal. */
  follow(show, signal) {
    if (this.stats || this.failure) show();
    this.addEventListener('beat', show, { signal });
  }
}

export const pulse = new Pulse();
