// The API docs of a bundle, made from its document.

import { get, path } from './api.js';
import { badge, h, select, to } from './dom.js';
import { ApiDocument } from './document.js';
import { place, short } from './format.js';
import { heading, showing, there } from './page.js';
import { schemaTree, limits, typeLine } from './schema.js';
import { tryOut } from './tryout.js';

export function show({ root, parts: [sha], query, signal }) {
  const content = h('div', {}, h('p', { class: 'hint' }, 'Reading the document …'));
  root.append(content);
  showing(content, signal, async () => {
    const [json, routes] = await Promise.all([there(get(path`/bundles/${sha}/document`, signal), 'bundle'), get('/routes', signal)]);
    const serving = routes.filter(({ bundles }) => bundles.some((bundle) => bundle.sha === sha));
    return page(new ApiDocument(json), { sha, routes: serving, open: query.get('open'), signal });
  });
}

function page(document, context) {
  const groups = grouped(document.operations());
  const made = [...groups].map(([tag, operations]) => group(document, context, tag, operations));
  const articles = made.flatMap(({ articles: each }) => each);
  if (context.open) setTimeout(() => reveal(articles.find(({ id }) => id === context.open)?.article));
  return h('div', { class: 'docs-page' },
    index(groups, articles),
    h('div', {},
      heading(document.info.title ?? 'no title', badge(`version ${document.info.version ?? '?'}`)),
      served(context),
      document.info.description && h('p', { class: 'prose' }, document.info.description),
      made.map(({ section }) => section),
      document.schemas.length > 0 && schemas(document)));
}

function served({ sha, routes }) {
  const places = routes.flatMap((route) => [' ', h('a', { href: to('routes', [route.id]) }, h('code', {}, place(route)))]);
  return h('p', { class: 'where' },
    h('code', { class: 'faint', title: sha }, `bundle ${short(sha)}`),
    routes.length ? ['serves', places] : badge('not deployed'));
}

function grouped(operations) {
  const groups = new Map();
  for (const operation of operations) groups.set(operation.tag, [...(groups.get(operation.tag) ?? []), operation]);
  return groups;
}

/** The list of operations beside them, which can be narrowed down. */
function index(groups, articles) {
  const link = ({ id, method, path, summary }) => {
    const open = (event) => {
      event.preventDefault();
      reveal(articles.find((each) => each.id === id)?.article);
    };
    return h('li', { 'data-words': `${id} ${method} ${path} ${summary ?? ''}`.toLowerCase() },
      h('a', { href: '#', onclick: open }, h('span', { class: `method ${method.toLowerCase()}` }, method), h('code', {}, path)));
  };
  const lists = [...groups].map(([tag, operations]) => h('div', {}, h('h2', {}, tag), h('ul', {}, operations.map(link))));
  const narrow = ({ target }) => {
    const words = target.value.trim().toLowerCase();
    for (const list of lists) {
      const items = [...list.querySelectorAll('li')];
      for (const item of items) item.hidden = !item.dataset.words.includes(words);
      list.hidden = items.every((item) => item.hidden);
    }
  };
  return h('nav', { class: 'index', 'aria-label': 'Operations' },
    h('input', { type: 'search', placeholder: 'Find an operation', 'aria-label': 'Find an operation', oninput: narrow }), lists);
}

function reveal(article) {
  if (!article) return;
  article.open = true;
  article.scrollIntoView({ block: 'start' });
  article.querySelector('summary').focus({ preventScroll: true });
}

function group(document, context, tag, operations) {
  const articles = operations.map((operation) => ({ id: operation.id, article: article(document, context, operation) }));
  return { articles, section: h('section', {}, h('h2', {}, tag), articles.map(({ article: each }) => each)) };
}

/** An operation, whose inside is made when it is opened: documents may have hundreds. */
function article(document, context, operation) {
  const { method, path, summary, deprecated, id } = operation;
  const fill = ({ target }) => {
    if (target.open && target.childElementCount === 1) target.append(inside(document, context, operation));
  };
  return h('details', { class: 'card operation', 'data-operation': id, ontoggle: fill },
    h('summary', {},
      h('span', { class: `method ${method.toLowerCase()}` }, method), h('code', {}, path),
      h('span', { class: 'summary' }, summary ?? ''), deprecated && badge('deprecated', 'warn')));
}

function inside(document, context, operation) {
  return h('div', { class: 'inside' },
    operation.description && h('p', { class: 'prose' }, operation.description),
    h('p', { class: 'faint' }, 'operation ', h('code', {}, operation.id)),
    operation.parameters.length > 0 && [h('h3', {}, 'Parameters'), parameters(document, operation)],
    operation.body && [h('h3', {}, 'Request body ', operation.body.required && badge('required')),
      operation.body.description && h('p', { class: 'prose' }, operation.body.description), media(document, operation.body.media)],
    operation.security.length > 0 && [h('h3', {}, 'Credentials'), credentials(operation)],
    h('h3', {}, 'Responses'), operation.responses.map((response) => responseOf(document, response)),
    h('h3', {}, 'Try it out'), tryOut(document, context, operation));
}

function parameters(document, { parameters: all }) {
  return h('ul', { class: 'schema' }, all.map((parameter) => {
    const schema = document.resolve(parameter.schema);
    return h('li', {},
      h('code', { class: 'member' }, parameter.name), ' ', badge(parameter.in), ' ',
      h('span', { class: 'type' }, typeLine(document, parameter.schema)), ' ',
      parameter.required === true && badge('required'), ' ', limits(schema),
      parameter.description && h('p', { class: 'prose' }, parameter.description));
  }));
}

/** The schemas of a body by media type; the first is shown. */
function media(document, all) {
  if (!all.length) return h('p', { class: 'hint' }, 'No content.');
  const shown = h('div');
  const draw = (type) => shown.replaceChildren(schemaTree(document, all.find((each) => each.type === type).schema));
  draw(all[0].type);
  if (all.length === 1) return h('div', {}, h('p', {}, h('code', {}, all[0].type)), shown);
  const choice = select(all.map(({ type }) => [type, type]), all[0].type, { 'aria-label': 'Media type', onchange: () => draw(choice.value) });
  return h('div', {}, choice, shown);
}

function credentials({ security }) {
  return h('p', {}, security.map((alternative, index) => [
    index > 0 && ' or ', Object.entries(alternative).map(([name, scopes], at) => [
      at > 0 && ' and ', h('code', {}, name), scopes.length > 0 && ` (${scopes.join(', ')})`])]));
}

function responseOf(document, { status, description, headers, media: all }) {
  const kind = /^[2-3]/.test(status) ? 'good' : /^4/.test(status) ? 'warn' : /^5/.test(status) ? 'bad' : 'plain';
  const fill = ({ target }) => {
    if (!target.open || target.childElementCount > 1) return;
    target.append(h('div', {},
      headers.length > 0 && h('ul', { class: 'schema' }, headers.map((header) => h('li', {}, h('code', { class: 'member' }, header.name), ' ', badge('header'),
        header.description && h('p', { class: 'prose' }, header.description)))),
      media(document, all)));
  };
  const line = [badge(status, kind), ' ', h('span', {}, description ?? '')];
  return headers.length + all.length > 0
    ? h('details', { class: 'response', ontoggle: fill }, h('summary', {}, line)) : h('p', { class: 'response' }, line);
}

function schemas(document) {
  return h('section', {}, h('h2', {}, 'Schemas'), document.schemas.map(([name, schema]) => {
    const fill = ({ target }) => {
      if (target.open && target.childElementCount === 1) target.append(h('div', { class: 'inside' }, schemaTree(document, schema)));
    };
    return h('details', { class: 'card operation', ontoggle: fill }, h('summary', {}, h('code', {}, name)));
  }));
}
