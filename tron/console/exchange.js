// What a form says, as a request: parameters by their styles, credentials and body. Pure.

/** The value of a parameter as its text in the form means it, by its schema. */
function read(parameter, schema, type, text) {
  if (parameter.isJson) return text;
  if (type === 'array') return text.split(',').map((part) => part.trim());
  if (type === 'object') return JSON.parse(text);
  return text;
}

const SEPARATORS = { pipes: '|', pipeDelimited: '|', ssv: ' ', spaceDelimited: ' ', tsv: '\t' };

/** One parameter of the query as pairs. */
function queryPairs(parameter, value) {
  const { name, style, collectionFormat } = parameter;
  if (Array.isArray(value)) {
    const separator = SEPARATORS[style ?? collectionFormat];
    const explodes = parameter.explode ?? (collectionFormat ? collectionFormat === 'multi' : !separator && !('type' in parameter));
    return explodes ? value.map((each) => [name, each]) : [[name, value.join(separator ?? ',')]];
  }
  if (value !== null && typeof value === 'object') {
    if (style === 'deepObject') return Object.entries(value).map(([key, each]) => [`${name}[${key}]`, String(each)]);
    return parameter.explode === false ? [[name, Object.entries(value).flat().join(',')]] : Object.entries(value);
  }
  return [[name, value]];
}

function flat(value) {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? Object.entries(value).flat().join(',') : String(value);
}

function pathText({ name, style }, value) {
  const text = (Array.isArray(value) ? value : [flat(value)]).map(encodeURIComponent).join(style === 'label' ? '.' : ',');
  return { label: `.${text}`, matrix: `;${name}=${text}` }[style] ?? text;
}

/**
 * The request that a form means. `values` are `{ parameter, schema, type, text }`, without those that are left empty;
 * `credentials` are `{ scheme, text }`.
 */
export function requestOf({ method, template, values, credentials, contentType }) {
  let path = template;
  const query = [];
  const headers = [];
  const cookies = [];
  for (const { parameter, schema, type, text } of values) {
    const value = read(parameter, schema, type, text);
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, () => pathText(parameter, value));
    else if (parameter.in === 'query') query.push(...queryPairs(parameter, value));
    else if (parameter.in === 'header') headers.push([parameter.name.toLowerCase(), flat(value)]);
    else if (parameter.in === 'cookie') cookies.push(`${parameter.name}=${encodeURIComponent(flat(value))}`);
  }
  for (const { scheme, text } of credentials) {
    if (scheme.type !== 'apiKey') headers.push(['authorization', authorization(scheme, text)]);
    else if (scheme.in === 'query') query.push([scheme.name, text]);
    else if (scheme.in === 'cookie') cookies.push(`${scheme.name}=${text}`);
    else headers.push([scheme.name.toLowerCase(), text]);
  }
  if (cookies.length) headers.push(['cookie', cookies.join('; ')]);
  if (contentType) headers.push(['content-type', contentType]);
  const search = query.map((pair) => pair.map((part) => encodeURIComponent(part)).join('=')).join('&');
  return { method, path, query: search, headers };
}

function authorization(scheme, text) {
  const basic = scheme.type === 'basic' || scheme.scheme?.toLowerCase() === 'basic';
  if (!basic) return `Bearer ${text}`;
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`;
}

const BOUNDARY = 'funcatron-boundary';

/** How an example is written in a media type, and the content type that says so. */
export function written(type, value) {
  const text = (each) => (typeof each === 'string' ? each : JSON.stringify(each));
  const entries = value !== null && typeof value === 'object' ? Object.entries(value) : [];
  if (/json/i.test(type)) return { type, text: JSON.stringify(value, null, 2) };
  if (type === 'application/x-www-form-urlencoded') {
    return { type, text: new URLSearchParams(entries.map(([name, each]) => [name, text(each)])).toString() };
  }
  if (type.startsWith('multipart/')) {
    const part = ([name, each]) => `--${BOUNDARY}\ncontent-disposition: form-data; name="${name}"\n\n${text(each)}\n`;
    return { type: `${type}; boundary=${BOUNDARY}`, text: `${entries.map(part).join('')}--${BOUNDARY}--\n` };
  }
  return { type, text: typeof value === 'string' && type.startsWith('text/') ? value : '' };
}

/** What was typed as the body of a message. */
export function typed(type, text) {
  // Lines of such a body end otherwise than those of a form.
  return { text: type.startsWith('multipart/') ? text.replaceAll('\n', '\r\n') : text };
}

/** What a file holds as the body of a message. */
export async function fileBody(file) {
  const content = new Uint8Array(await file.arrayBuffer());
  let text = '';
  for (let at = 0; at < content.length; at += 0x8000) text += String.fromCharCode(...content.subarray(at, at + 0x8000));
  return { base64: btoa(text) };
}
