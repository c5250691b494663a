// Puts the console together: who may look, which view is shown, and whether the platform is alive.

import { doorkeeper, session } from './api.js';
import { h, to } from './dom.js';
import { failed } from './page.js';
import { pulse } from './pulse.js';
import * as bundles from './bundles.js';
import * as capture from './capture.js';
import * as captures from './captures.js';
import * as docs from './docs.js';
import * as letters from './letters.js';
import * as logs from './logs.js';
import * as request from './request.js';
import * as requests from './requests.js';
import * as route from './route.js';
import * as routes from './routes.js';

/** By the first part of the address: the list, and the one thing of it. */
const VIEWS = {
  routes: { title: 'Routes', list: routes, one: route },
  logs: { title: 'Logs', list: logs },
  requests: { title: 'Requests', list: requests, one: request },
  captures: { title: 'Captures', list: captures, one: capture },
  letters: { title: 'Dead letters', list: letters, one: letters },
  docs: { title: 'API docs', list: bundles, one: docs },
};

const main = document.getElementById('main');
let leaving = new AbortController();
let shown = null;

/** `#/docs/SHA?open=getPet` as its parts. */
function address() {
  const [path, search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view, ...parts] = path.split('/').map(decoded);
  return { view: Object.hasOwn(VIEWS, view) ? view : 'routes', parts: parts.filter(Boolean), query: new URLSearchParams(search) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function show() {
  session.takeFromAddress();
  leaving.abort();
  leaving = new AbortController();
  document.getElementById('leave').hidden = !session.token;
  if (!session.token) return signIn();
  const { view, parts, query } = address();
  drawNav(view);
  const { title, list, one } = VIEWS[view];
  document.title = `${parts[0] ? `${parts[0].slice(0, 12)} · ` : ''}${title} · Funcatron`;
  const part = parts.length && one ? one : list;
  const root = h('div', { class: `view ${view}` });
  main.replaceChildren(root);
  try {
    part.show({ root, parts, query, signal: leaving.signal });
  } catch (error) {
    root.replaceChildren(failed(error));
  }
  // Whoever moves by keyboard or ear goes on in the new view.
  if (shown !== null && shown !== location.hash.split('?')[0]) main.focus({ preventScroll: true });
  shown = location.hash.split('?')[0];
  scrollTo(0, 0);
}

function drawNav(current) {
  const link = ([name, { title }]) =>
    h('a', { href: to(name), 'aria-current': name === current ? 'page' : null }, title);
  const nav = document.getElementById('nav');
  nav.replaceChildren(...Object.entries(VIEWS).map(link));
  const chosen = nav.querySelector('[aria-current]');
  nav.scrollLeft = chosen.offsetLeft - (nav.clientWidth - chosen.offsetWidth) / 2;
}

function signIn(refused = false) {
  leaving.abort();
  document.title = 'Funcatron';
  document.getElementById('nav').replaceChildren();
  document.getElementById('pulse').replaceChildren();
  document.getElementById('leave').hidden = true;
  const input = h('input', {
    id: 'token', type: 'password', required: true, autocomplete: 'off', spellcheck: 'false', autofocus: true,
    'aria-describedby': 'token-hint',
  });
  const enter = (event) => {
    event.preventDefault();
    session.keep(input.value.trim());
    show();
  };
  main.replaceChildren(h('form', { class: 'sign-in', onsubmit: enter },
    h('h1', {}, 'Funcatron'),
    refused && h('p', { class: 'problem', role: 'alert' }, 'That token does not open this platform.'),
    h('label', { for: 'token' }, 'Admin token'),
    input,
    h('button', { type: 'submit', class: 'primary' }, 'Open the console'),
    h('div', { id: 'token-hint', class: 'hint' },
      h('p', {}, 'funcatron dev keeps it in a file:'),
      h('pre', {}, 'cat .funcatron/token'),
      h('p', {}, 'On a cluster it is the one that Tron was given (FUNCATRON_TOKEN). It stays in this tab.'))));
  input.focus();
}

function drawPulse() {
  const { stats, failure } = pulse;
  const alarms = stats?.alarms?.length ?? 0;
  const [text, kind] = failure ? ['No answer from Tron', 'bad']
    : alarms ? [`${alarms} alarm${alarms > 1 ? 's' : ''}`, 'warn'] : ['Live', 'good'];
  const place = document.getElementById('pulse');
  // It is read aloud when it changes, not each second.
  if (place.textContent === text) return;
  place.className = `pulse ${kind}`;
  place.replaceChildren(failure || !alarms ? text : h('a', { href: to('routes') }, text));
}

document.getElementById('leave').addEventListener('click', () => {
  session.forget();
  show();
});
document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
doorkeeper.addEventListener('refused', () => {
  if (!session.token) return;
  session.forget();
  signIn(true);
});
pulse.addEventListener('beat', () => session.token && drawPulse());
addEventListener('hashchange', show);
show();
pulse.start();
