// Tries an operation out: a form from the document, the call through the platform, what came of it.

import { path, send } from './api.js';
import { empty, field, h, select, to } from './dom.js';
import { example, typeOf } from './example.js';
import { fileBody, requestOf, typed, written } from './exchange.js';
import { bodyText, laidOut, ms, place } from './format.js';
import { failed } from './page.js';
import { statusBadge } from './requests.js';

/** The form of an operation. */
export function tryOut(document, context, operation) {
  if (!context.routes.length) {
    return empty('This bundle serves no route, so there is nowhere to send a request. Deploy it to try it out:', 'funcatron deploy FOLDER');
  }
  return new Form(document, context, operation).element;
}

class Form {
  constructor(document, context, operation) {
    Object.assign(this, { document, context, operation });
    this.inputs = operation.parameters.map((parameter) => inputOf(document, parameter));
    this.credentials = credentialsOf(document, operation);
    this.route = select(context.routes.map((route) => [route.id, place(route)]), context.routes[0].id);
    this.outcome = h('div', { class: 'outcome', 'aria-live': 'polite' });
    this.button = h('button', { type: 'submit', class: 'primary' }, 'Send');
    this.element = h('form', { class: 'try', onsubmit: (event) => this.submit(event) },
      context.routes.length > 1 && field('Route', this.route),
      this.inputs.map(({ parameter, input }) => field([parameter.name, parameter.required === true && ' *'], input, parameter.in)),
      this.credentials.map(({ name, input, hint }) => field(name, input, hint)),
      operation.body && this.body(),
      h('div', { class: 'row' }, this.button),
      this.outcome);
  }

  body() {
    const { media } = this.operation.body;
    this.text = h('textarea', { rows: 8, spellcheck: 'false', 'aria-label': 'Request body' });
    this.file = h('input', { type: 'file', 'aria-label': 'A file as the request body' });
    const files = field('Or a file', this.file);
    const begin = () => {
      const chosen = media.find(({ type }) => type === this.type.value);
      const { type, text } = written(chosen.type, chosen.example ?? example(this.document, chosen.schema));
      Object.assign(this, { contentType: type });
      this.text.value = text;
      files.hidden = /json|form-urlencoded|^text\//.test(type);
    };
    this.type = select(media.map(({ type }) => [type, type]), media[0].type, { onchange: begin });
    begin();
    return [media.length > 1 && field('Content type', this.type), h('label', { class: 'field' }, h('span', {}, 'Body'), this.text), files];
  }

  async submit(event) {
    event.preventDefault();
    this.button.disabled = true;
    try {
      this.outcome.replaceChildren(...await this.call());
    } catch (error) {
      this.outcome.replaceChildren(failed(error));
    } finally {
      this.button.disabled = false;
    }
  }

  async call() {
    const values = this.inputs.filter(({ input }) => input.value !== '')
      .map(({ parameter, schema, type, input }) => ({ parameter, schema, type, text: input.value }));
    const credentials = this.credentials.filter(({ input }) => input.value !== '')
      .map(({ scheme, input }) => ({ scheme, text: input.value }));
    const { base_path: basePath } = this.context.routes.find(({ id }) => id === this.route.value);
    const hasBody = this.operation.body && (this.file.files.length > 0 || this.text.value !== '');
    const request = requestOf({
      method: this.operation.method,
      template: basePath.replace(/\/$/, '') + this.operation.path,
      values,
      credentials,
      contentType: hasBody ? this.contentType : null,
    });
    const body = !hasBody ? undefined
      : this.file.files.length > 0 ? await fileBody(this.file.files[0]) : typed(this.contentType, this.text.value);
    const begun = performance.now();
    const called = await send('POST', path`/routes/${this.route.value}/calls`,
      { ...request, body, bundle: this.context.sha }, this.context.signal);
    return answerOf(called.answer, performance.now() - begun);
  }
}

/** What came of a call. */
export function answerOf(answer, took) {
  const text = bodyText(answer.body);
  return [
    h('p', { class: 'row' }, statusBadge(answer.status), h('span', { class: 'faint' }, took === undefined ? '' : ms(took)),
      h('a', { href: to('requests', [answer.id]) }, 'The story of this request')),
    h('details', {}, h('summary', {}, `${answer.headers.length} header${answer.headers.length === 1 ? '' : 's'}`),
      h('dl', { class: 'facts headers' }, answer.headers.map(([name, value]) => [h('dt', {}, name), h('dd', {}, h('code', {}, value))]))),
    text === '' ? h('p', { class: 'hint' }, 'No body.') : h('pre', { class: 'body', tabindex: 0 }, laidOut(text)),
  ];
}

function inputOf(document, parameter) {
  const schema = document.resolve(parameter.schema);
  const type = typeOf(schema);
  const attributes = { required: parameter.required === true, name: parameter.name };
  const given = parameter.example ?? Object.values(parameter.examples ?? {})[0]?.value ?? schema.example ?? schema.default;
  const begin = given ?? (parameter.required === true ? example(document, parameter.schema) : undefined);
  const values = schema.enum ?? (type === 'boolean' ? [true, false] : null);
  if (values) {
    const options = [parameter.required === true ? null : ['', 'left out'], ...values.map((value) => [String(value), String(value)])];
    return { parameter, schema, type, input: select(options.filter(Boolean), begin === undefined ? '' : String(begin), attributes) };
  }
  const hint = { array: 'several, with commas', object: 'JSON' }[type] ?? '';
  const text = begin === undefined ? '' : Array.isArray(begin) ? begin.join(',') : typeof begin === 'object' ? JSON.stringify(begin) : String(begin);
  const isSecret = schema.format === 'password' || schema['x-funcatron-secret'] === true;
  const kind = isSecret ? 'password' : 'text';
  return { parameter, schema, type, input: h('input', { ...attributes, type: kind, value: text, placeholder: hint, spellcheck: 'false', autocomplete: 'off' }) };
}

/** The schemes that the operation names, each once. */
function credentialsOf(document, { security }) {
  const names = new Set(security.flatMap((alternative) => Object.keys(alternative)));
  return [...names].map((name) => {
    const scheme = document.resolve(document.securitySchemes[name]);
    const isBasic = scheme.type === 'basic' || scheme.scheme?.toLowerCase() === 'basic';
    const hint = scheme.type === 'apiKey' ? `${scheme.in} ${scheme.name}` : isBasic ? 'name:password' : 'bearer token';
    return { name, scheme, hint, input: h('input', { type: 'password', autocomplete: 'off' }) };
  });
}
