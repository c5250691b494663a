// Makes elements. Whatever is given is set as text or as an attribute, never read as HTML: what comes from
// documents, requests and logs cannot become more than it is.

const SVG = 'http://www.w3.org/2000/svg';

/** An element: `h('a', { href: '#/logs', onclick }, 'Logs', [more])`. What is null or false is left out. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same for drawings. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, name === 'href' ? within(value) : value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

// Links stay in the console: an address out of a document could be a script.
function within(href) {
  return String(href).startsWith('#') ? href : '#';
}

/** The address of a view: `to('logs', [], { route })`. */
export function to(view, parts = [], query = {}) {
  const path = [view, ...parts].map(encodeURIComponent).join('/');
  const wanted = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const search = new URLSearchParams(wanted).toString();
  return `#/${path}${search && `?${search}`}`;
}

/** What is shown in place of a list that has nothing in it: why, and the command to type. */
export function empty(text, ...commands) {
  return h('div', { class: 'empty' }, h('p', {}, text), commands.map((command) => h('pre', {}, command)));
}

/** A badge: a word with a colour that says no more than the word. */
export function badge(text, kind = 'plain') {
  return h('span', { class: `badge ${kind}` }, text);
}

/** A field of a form with its label. */
export function field(label, input, hint) {
  return h('label', { class: 'field' }, h('span', {}, label), input, hint && h('small', {}, hint));
}

/** A choice. */
export function select(options, chosen, attributes = {}) {
  const option = ([value, text]) => h('option', { value, selected: value === chosen }, text);
  return h('select', attributes, options.map(option));
}

/** Says something for a moment, to ears as well. */
export function toast(text, kind = 'plain') {
  const shown = h('p', { class: `toast ${kind}` }, text);
  document.getElementById('toasts').append(shown);
  setTimeout(() => shown.remove(), 6000);
}

/** Hands a file to the person. */
export function save(name, content) {
  const address = URL.createObjectURL(content);
  const link = h('a', { download: name });
  link.href = address;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** Asks before something that cannot be taken back. */
export function confirm(question, detail, yes) {
  return new Promise((resolve) => {
    const answer = (value) => { dialog.close(); dialog.remove(); resolve(value); };
    const dialog = h('dialog', { 'aria-labelledby': 'question', oncancel: () => answer(false) },
      h('h2', { id: 'question' }, question),
      h('p', {}, detail),
      h('div', { class: 'row end' },
        h('button', { type: 'button', autofocus: true, onclick: () => answer(false) }, 'Cancel'),
        h('button', { type: 'button', class: 'danger', onclick: () => answer(true) }, yes)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
