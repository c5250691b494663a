// One captured call: what came in, what the Func drew from outside, what went out.

import { badge, h, to } from './dom.js';
import { bodyText, laidOut, moment, ms } from './format.js';
import { approximate } from './raw.js';
import { printed } from './request.js';
import { statusBadge } from './requests.js';

/** The call. */
export function entryPart({ invoke, answer, activation, drawn = {}, redacted = [] }) {
  return h('div', { class: 'story' },
    h('article', { class: 'card' },
      h('header', { class: 'row' }, h('h2', {}, h('span', { class: `method ${invoke.method.toLowerCase()}` }, invoke.method), ' ',
        h('code', {}, invoke.path + (invoke.query ? `?${invoke.query}` : ''))),
      h('a', { href: to('requests', [invoke.id]) }, 'its story'), h('span', { class: 'faint end' }, moment(invoke.at))),
      redacted.length > 0 && h('p', { class: 'hint' }, 'Taken out because it is secret: ', redacted.map((path) => [h('code', {}, path), ' '])),
      message(invoke.headers, invoke.body)),
    h('article', { class: 'card' }, h('header', { class: 'row' }, h('h2', {}, 'What the Func drew from outside'),
      drawn.truncated && badge('more than is kept', 'warn')), calls(drawn.calls ?? [])),
    h('article', { class: 'card' },
      h('header', { class: 'row' }, h('h2', {}, 'What it answered'), statusBadge(answer.status),
        h('span', { class: 'faint' }, `after ${ms(activation.service_us / 1000)}`), activation.operation && h('span', { class: 'faint end' }, activation.operation)),
      message(answer.headers, answer.body)),
    h('article', { class: 'card' }, h('header', { class: 'row' }, h('h2', {}, 'What it printed')), printed(activation)));
}

function message(headers, body) {
  const text = bodyText(body);
  return h('div', {},
    h('dl', { class: 'facts headers' }, headers.map(([name, value]) => [h('dt', {}, name), h('dd', {}, h('code', {}, value))])),
    text === '' ? h('p', { class: 'hint' }, 'No body.') : h('pre', { class: 'body', tabindex: 0 }, laidOut(text)));
}

function calls(all) {
  if (!all.length) return h('p', { class: 'hint' }, 'Nothing: its answer follows from the request alone.');
  return h('ol', { class: 'lines' }, all.map((call) => {
    const [[kind, what]] = Object.entries(call);
    return h('li', {}, h('time', {}, `+${ms(what.at_us / 1000)}`), h('span', { class: 'said drawn' }, said(kind, what)),
      kind === 'http' && exchanged(what));
  }));
}

function said(kind, what) {
  switch (kind) {
    case 'wall-clock': return `the time: ${new Date(approximate(what.ns) / 1e6).toISOString()}`;
    case 'monotonic-clock': return `a clock: ${ms(approximate(what.ns) / 1e6)} since it began`;
    case 'random': return `${what.bytes} random bytes`;
    case 'http': return `${what.method} ${what.url}: ${outcome(what.outcome)} after ${ms(what.took_us / 1000)}`;
    default: return kind;
  }
}

/** What was sent to somebody else and what came back, whole. */
function exchanged({ headers = [], body, outcome: { response } }) {
  return h('details', { class: 'drawn' }, h('summary', {}, 'The request and its answer'),
    h('h3', {}, 'Sent'), message(headers, body),
    response && [h('h3', {}, 'Came back'), message(response.headers ?? [], response.body)]);
}

function outcome(of) {
  return of.response ? `status ${of.response.status}` : of.failed;
}
