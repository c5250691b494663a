// From which level on the log lines of a route are kept, which can be changed for a while.

import { get, path, send } from './api.js';
import { h, toast } from './dom.js';
import { moment } from './format.js';
import { repeat } from './page.js';

const PERIOD = 5000;
const MINUTES = 10;

/** What is kept of the route that `route` names, and how to see more. */
export function levelControl(route, signal) {
  const said = h('span', { class: 'hint', role: 'status' });
  const more = h('button', { type: 'button', onclick: () => change(() => send('PUT', path`/levels/${route()}`, { level: 'debug', for_seconds: MINUTES * 60 })) },
    `Keep debug for ${MINUTES} min`);
  const back = h('button', { type: 'button', onclick: () => change(() => send('DELETE', path`/levels/${route()}`)) }, 'Back to info');
  const element = h('div', { class: 'row', hidden: true }, more, back, said);

  const look = async () => {
    element.hidden = !route();
    if (element.hidden) return;
    try {
      const found = (await get('/levels', signal)).find((level) => level.route === route());
      more.hidden = Boolean(found);
      back.hidden = !found;
      said.textContent = found ? `kept from ${found.level} on until ${moment(found.until)}` : '';
    } catch {
      // Whoever changes it is told.
    }
  };
  const change = async (act) => {
    try {
      await act();
    } catch (error) {
      toast(error.message, 'bad');
    }
    await look();
  };
  repeat(PERIOD, signal, look);
  return { element, look };
}
