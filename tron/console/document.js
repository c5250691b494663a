// `ApiDocument`: an OpenAPI document, 2.0 to 3.1, as one shape that can be shown. Pure: it makes no elements.

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
/** References that refer to references; a document has no reason for more. */
const HOPS_MAX = 16;

export class ApiDocument {
  constructor(json) {
    this.json = json;
    this.isTwo = 'swagger' in json;
    const components = json.components ?? {};
    this.schemas = Object.entries((this.isTwo ? json.definitions : components.schemas) ?? {});
    this.securitySchemes = (this.isTwo ? json.securityDefinitions : components.securitySchemes) ?? {};
    this.info = json.info ?? {};
  }

  /** What a reference stands for, or the thing itself. What refers in a circle or to nothing is empty. */
  resolve(node) {
    let found = node;
    for (let hop = 0; hop < HOPS_MAX; hop += 1) {
      if (typeof found?.$ref !== 'string') return found ?? {};
      found = this.target(found.$ref);
    }
    return {};
  }

  target(reference) {
    if (!reference.startsWith('#/')) return {};
    const step = (at, part) => (at !== null && typeof at === 'object' && Object.hasOwn(at, part) ? at[part] : undefined);
    return reference.slice(2).split('/').map(unescaped).reduce(step, this.json) ?? {};
  }

  /** The name that a reference gives a schema. */
  nameOf(node) {
    return typeof node?.$ref === 'string' ? unescaped(node.$ref.split('/').at(-1)) : null;
  }

  /** All operations, in the document's order. */
  operations() {
    return Object.entries(this.json.paths ?? {}).flatMap(([path, entry]) => {
      const item = this.resolve(entry);
      return METHODS.filter((method) => item[method]).map((method) => this.operation(method, path, item, item[method]));
    });
  }

  operation(method, path, item, operation) {
    const parameters = this.parameters(item, operation);
    return {
      id: operation.operationId ?? `${method} ${path}`,
      method: method.toUpperCase(),
      path,
      tag: operation.tags?.[0] ?? 'Operations',
      summary: operation.summary,
      description: operation.description,
      deprecated: operation.deprecated === true,
      parameters: parameters.filter((parameter) => !['body', 'formData'].includes(parameter.in)),
      body: this.isTwo ? this.bodyOfTwo(operation, parameters) : this.bodyOf(operation),
      responses: Object.entries(operation.responses ?? {}).map(([status, response]) => this.response(status, response, operation)),
      security: (operation.security ?? this.json.security ?? []).filter((alternative) => Object.keys(alternative).length > 0),
    };
  }

  /** Those of the operation and, where it does not say otherwise, of its path. */
  parameters(item, operation) {
    const all = new Map();
    for (const node of [...(item.parameters ?? []), ...(operation.parameters ?? [])]) {
      const parameter = this.resolve(node);
      const [media] = Object.values(parameter.content ?? {});
      const schema = this.isTwo && parameter.in !== 'body' ? parameter : parameter.schema ?? media?.schema ?? {};
      const isJson = Boolean(parameter.content);
      all.set(`${parameter.in} ${parameter.name}`, { ...parameter, schema, isJson });
    }
    return [...all.values()];
  }

  bodyOf(operation) {
    if (!operation.requestBody) return null;
    const body = this.resolve(operation.requestBody);
    return { description: body.description, required: body.required === true, media: mediaOf(body.content) };
  }

  bodyOfTwo(operation, parameters) {
    const consumes = operation.consumes ?? this.json.consumes;
    const body = parameters.find((parameter) => parameter.in === 'body');
    if (body) {
      const media = (consumes ?? ['application/json']).map((type) => ({ type, schema: body.schema }));
      return { description: body.description, required: body.required === true, media };
    }
    const fields = parameters.filter((parameter) => parameter.in === 'formData');
    if (!fields.length) return null;
    const schema = {
      type: 'object',
      properties: Object.fromEntries(fields.map((each) => [each.name, each])),
      required: fields.filter((each) => each.required === true).map((each) => each.name),
    };
    const fallback = [fields.some(({ type }) => type === 'file') ? 'multipart/form-data' : 'application/x-www-form-urlencoded'];
    return { required: schema.required.length > 0, media: (consumes ?? fallback).map((type) => ({ type, schema })) };
  }

  response(status, node, operation) {
    const response = this.resolve(node);
    const produces = operation.produces ?? this.json.produces ?? ['application/json'];
    const media = this.isTwo
      ? (response.schema ? produces.map((type) => ({ type, schema: response.schema, example: response.examples?.[type] })) : [])
      : mediaOf(response.content);
    const headers = Object.entries(response.headers ?? {}).map(([name, header]) => ({ name, ...this.resolve(header) }));
    return { status, description: response.description, headers, media };
  }
}

function mediaOf(content = {}) {
  return Object.entries(content).map(([type, { schema, example, examples }]) =>
    ({ type, schema: schema ?? {}, example: example ?? Object.values(examples ?? {})[0]?.value }));
}

function unescaped(part) {
  let text = part;
  try {
    text = decodeURIComponent(part);
  } catch {
    // It is meant as it stands.
  }
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}
