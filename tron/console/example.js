// A value that a schema could mean, to begin with. Pure.

/** Deeper, or larger, an example helps nobody. */
const DEPTH_MAX = 8;
const VALUES_MAX = 500;

const BY_FORMAT = {
  'date-time': '2026-01-31T12:00:00Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  uuid: '123e4567-e89b-42d3-a456-426614174000',
  email: 'ada@example.com',
  uri: 'https://example.com/',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  byte: 'aGVsbG8=',
  hostname: 'example.com',
};

/** An example of the schema, without what only responses have. */
export function example(document, schema) {
  const budget = { left: VALUES_MAX };
  return made(document, schema, { budget, depth: 0, open: [] }) ?? null;
}

/** `undefined` where there is none, as in a circle. */
function made(document, node, state) {
  if (node?.$ref && state.open.includes(node.$ref) || state.depth > DEPTH_MAX || state.budget.left <= 0) return undefined;
  state.budget.left -= 1;
  const inside = { ...state, depth: state.depth + 1, open: node?.$ref ? [...state.open, node.$ref] : state.open };
  const schema = document.resolve(node);
  const given = schema.example ?? schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (given !== undefined) return given;
  if (schema.allOf) return merged(document, schema, inside);
  const choice = schema.oneOf?.[0] ?? schema.anyOf?.[0];
  if (choice) return made(document, choice, inside);
  return ofType(document, schema, inside);
}

function merged(document, schema, state) {
  const parts = [...schema.allOf, { ...schema, allOf: undefined }].map((part) => made(document, part, state));
  const objects = parts.filter((part) => part !== null && typeof part === 'object' && !Array.isArray(part));
  return objects.length ? Object.assign({}, ...objects) : parts.find((part) => part !== undefined);
}

/** The type of a schema; of several, the first that is more than null. */
export function typeOf(schema) {
  const type = [schema.type].flat().find((each) => each && each !== 'null');
  return type ?? (schema.properties ? 'object' : schema.items ? 'array' : undefined);
}

function ofType(document, schema, state) {
  switch (typeOf(schema)) {
    case 'object': return object(document, schema, state);
    case 'array': return array(document, schema, state);
    case 'integer': return numberIn(schema, 1);
    case 'number': return numberIn(schema, 1.5);
    case 'boolean': return true;
    case 'string': return string(schema);
    case 'file': return 'content';
    default: return undefined;
  }
}

function object(document, schema, state) {
  const entries = Object.entries(schema.properties ?? {})
    .filter(([, property]) => document.resolve(property).readOnly !== true)
    .map(([name, property]) => [name, made(document, property, state)])
    .filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

function array(document, schema, state) {
  const item = made(document, schema.items ?? {}, state);
  return item === undefined ? [] : Array(Math.max(1, Math.min(schema.minItems ?? 1, 3))).fill(item);
}

function numberIn(schema, wanted) {
  // What has more digits than a number keeps is no bound that matters here, and in 3.0 an exclusive bound is a flag.
  const bound = (value, step = 0) => (typeof value === 'number' ? value + step : undefined);
  const least = bound(schema.minimum) ?? bound(schema.exclusiveMinimum, 1) ?? wanted;
  const most = bound(schema.maximum) ?? bound(schema.exclusiveMaximum, -1) ?? Infinity;
  return Math.min(Math.max(least, Math.min(wanted, most)), most);
}

function string(schema) {
  const text = BY_FORMAT[schema.format] ?? 'text';
  return text.padEnd(Math.min(schema.minLength ?? 0, 200), 'x').slice(0, schema.maxLength ?? Infinity);
}
