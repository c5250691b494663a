// Shows a schema: a line that says what it is, and its parts, which are made when they are opened. A schema that
// is part of itself can be opened for as long as somebody likes.

import { badge, h } from './dom.js';
import { typeOf } from './example.js';

/** The schema as a tree. */
export function schemaTree(document, node) {
  const schema = document.resolve(node);
  return h('div', { class: 'schema' },
    h('p', {}, h('span', { class: 'type' }, typeLine(document, node)), ' ', limits(schema)),
    schema.description && h('p', { class: 'prose' }, schema.description),
    parts(document, schema));
}

/** What a schema is, in a few words: `array of Pet`, `string (uuid)`. */
export function typeLine(document, node, depth = 0) {
  const name = document.nameOf(node);
  if (name) return name;
  const schema = document.resolve(node);
  if (schema === true || Object.keys(schema).length === 0) return 'anything';
  if (schema.allOf) return joined(document, schema.allOf, ' and ', depth);
  if (schema.oneOf ?? schema.anyOf) return joined(document, schema.oneOf ?? schema.anyOf, ' or ', depth);
  const type = typeOf(schema);
  if (type === 'array' && depth < 3) return `array of ${typeLine(document, schema.items ?? {}, depth + 1)}`;
  const orNull = schema.nullable === true || [schema.type].flat().includes('null') ? ' or null' : '';
  return `${type ?? 'anything'}${schema.format ? ` (${schema.format})` : ''}${orNull}`;
}

function joined(document, nodes, word, depth) {
  return depth > 2 ? 'several' : nodes.slice(0, 6).map((node) => typeLine(document, node, depth + 1)).join(word);
}

const LIMITS = {
  minimum: '≥', maximum: '≤', exclusiveMinimum: '>', exclusiveMaximum: '<', multipleOf: 'a multiple of',
  minLength: 'length ≥', maxLength: 'length ≤', minItems: 'items ≥', maxItems: 'items ≤',
  minProperties: 'members ≥', maxProperties: 'members ≤', pattern: 'matches', const: 'always', default: 'default',
};

/** What values it takes. */
export function limits(schema) {
  const said = Object.entries(LIMITS).filter(([name]) => schema[name] !== undefined)
    .map(([name, words]) => `${words} ${value(schema[name])}`);
  if (schema.uniqueItems === true) said.push('no item twice');
  if (schema.readOnly === true) said.push('in responses only');
  if (schema.writeOnly === true) said.push('in requests only');
  if (schema.format === 'password' || schema['x-funcatron-secret'] === true) said.push('secret');
  if (schema['x-funcatron-volatile'] === true) said.push('differs each time');
  return [
    said.length > 0 && h('span', { class: 'faint' }, said.join(', ')),
    Array.isArray(schema.enum) && h('span', { class: 'values' }, schema.enum.map((each) => h('code', {}, value(each)))),
  ].filter(Boolean);
}

function value(of) {
  return typeof of === 'string' ? of : JSON.stringify(of);
}

function parts(document, schema) {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const properties = Object.entries(schema.properties ?? {});
  const choices = [...(schema.allOf ?? []), ...(schema.oneOf ?? []), ...(schema.anyOf ?? [])];
  return [
    properties.length > 0 && h('ul', {}, properties.map(([name, node]) => property(document, name, node, required.has(name)))),
    choices.length > 0 && h('ul', {}, choices.map((node, index) => inner(document, `part ${index + 1}: ${typeLine(document, node)}`, node))),
    typeOf(schema) === 'array' && hasParts(document, schema.items) && h('ul', {}, inner(document, `each is ${typeLine(document, schema.items)}`, schema.items)),
    isSchema(schema.additionalProperties) && h('ul', {}, inner(document, `other members: ${typeLine(document, schema.additionalProperties)}`, schema.additionalProperties)),
  ].filter(Boolean);
}

function property(document, name, node, required) {
  const schema = document.resolve(node);
  const line = [
    h('code', { class: 'member' }, name), ' ', h('span', { class: 'type' }, typeLine(document, node)), ' ',
    required && badge('required'), ' ', schema.deprecated === true && badge('deprecated', 'warn'), ' ', limits(schema)];
  const said = schema.description && h('p', { class: 'prose' }, schema.description);
  return hasParts(document, node) ? inner(document, line, node) : h('li', {}, line, said);
}

/** A part that is made when it is opened. */
function inner(document, line, node) {
  const fill = ({ target }) => {
    if (target.open && target.childElementCount === 1) target.append(schemaTree(document, node));
  };
  return h('li', {}, hasParts(document, node) ? h('details', { ontoggle: fill }, h('summary', {}, line)) : line);
}

function isSchema(node) {
  return node !== null && typeof node === 'object' && Object.keys(node).length > 0;
}

// An array may be an array of itself.
function hasParts(document, node, depth = 0) {
  const schema = document.resolve(node);
  return Boolean(schema.properties || schema.allOf || schema.oneOf || schema.anyOf || isSchema(schema.additionalProperties)
    || depth < 8 && schema.items && hasParts(document, schema.items, depth + 1));
}
