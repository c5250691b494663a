// How a route does, in one word and a sentence.

import { h, badge } from './dom.js';
import { count, ms, percent } from './format.js';

/** Failures that are worth a look, and those that are worth getting up for. */
const FAILING = 0.05;
/** A wait that people notice. */
const SLOW_MS = 1000;

/** The worst thing that is known about it. Pure. */
export function health(stats, info) {
  const share = stats.rate > 0 ? stats.failures / stats.rate : Number(stats.failures > 0);
  const waiting = (stats.queued ?? 0) + stats.waiting;
  if (info?.alarm) return { word: 'alarm', kind: 'bad', why: info.alarm };
  if (share > FAILING) return { word: 'failing', kind: 'bad', why: `${percent(Math.min(1, share))} of its calls fail` };
  const trial = info?.trials?.find(({ different }) => different > 0);
  if (trial) {
    return { word: 'trial differs', kind: 'warn', why: `a bundle on trial answered ${count(trial.different)} of ${count(trial.compared)} calls otherwise` };
  }
  if (stats.runners === 0 && waiting > 0) return { word: 'waiting', kind: 'warn', why: 'no runner serves it, and calls wait' };
  if (share > 0) return { word: 'errors', kind: 'warn', why: `${count(stats.failures)} calls a second fail` };
  if ((stats.queue_ms?.p99 ?? 0) > SLOW_MS) {
    return { word: 'slow', kind: 'warn', why: `one call in a hundred waits ${ms(stats.queue_ms.p99)} or longer` };
  }
  if (stats.rate === 0) return { word: 'idle', kind: 'plain', why: 'nobody calls it' };
  return { word: 'healthy', kind: 'good', why: 'calls are answered' };
}

/** The word as a badge, with the sentence for who asks. */
export function healthBadge({ word, kind, why }) {
  return h('span', { title: why }, badge(word, kind));
}
