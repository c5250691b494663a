// The request as a function of the Func sees it.
import { decodeUtf8 } from "funcatron:native";
import { Problem } from "funcatron:problem";

export function requestOf({ method, uri, headers: lines, body: bytes, props }) {
  const headers = {};
  for (const [name, value] of lines) headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  const take = (name) => {
    const value = headers[`x-funcatron-${name}`];
    delete headers[`x-funcatron-${name}`];
    return value;
  };
  const text = () => decodeUtf8(bytes, false);
  return {
    id: headers["x-request-id"] ?? "",
    operation: take("operation") ?? "",
    method,
    url: uri,
    path: uri.split("?", 1)[0],
    params: JSON.parse(take("path-params") ?? "{}"),
    query: JSON.parse(take("query-params") ?? "{}"),
    headers,
    body: bodyOf(headers["content-type"] ?? "", bytes, text),
    props: JSON.parse(props || "{}"),
    text,
    json: () => JSON.parse(text()),
    bytes: () => bytes,
  };
}

function bodyOf(type, bytes, text) {
  if (bytes.length === 0) return undefined;
  if (/^[^;]*[/+]json\s*(;|$)/i.test(type)) return parse(text());
  return /^text\//i.test(type) ? text() : bytes;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw Problem.badRequest(`the body is not JSON: ${error.message}`);
  }
}
