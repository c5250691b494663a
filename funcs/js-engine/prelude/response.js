// Response: what a Func returns when a plain value is not enough, and what fetch gives.
import { bytesOf, encode, isBytes } from "funcatron:encoding";
import { Headers } from "funcatron:headers";
import { decodeUtf8 } from "funcatron:native";

const TEXT = "text/plain; charset=utf-8";
const BODILESS = [204, 205, 304];

export class Response {
  #body;

  constructor(body, { status = 200, statusText = "", headers = {} } = {}) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw new RangeError(`no response status: ${status}`);
    }
    this.status = status;
    this.statusText = statusText;
    this.headers = new Headers(headers);
    const [bytes, type] = bodyOf(body);
    this.#body = BODILESS.includes(status) ? undefined : bytes;
    if (this.#body !== undefined && type && !this.headers.has("content-type")) this.headers.set("content-type", type);
  }

  static json(value, init = {}) {
    const text = JSON.stringify(value);
    if (text === undefined) throw new TypeError(`no JSON value: ${typeof value}`);
    const response = new Response(undefined, init);
    if (!response.headers.has("content-type")) response.headers.set("content-type", "application/json");
    return new Response(text, { ...init, headers: response.headers });
  }

  get ok() {
    return this.status < 300;
  }

  async bytes() {
    return this.#body ?? new Uint8Array();
  }

  async arrayBuffer() {
    return new Uint8Array(await this.bytes()).buffer;
  }

  async text() {
    return decodeUtf8(await this.bytes(), false);
  }

  async json() {
    return JSON.parse(await this.text());
  }

  // [status, header lines, body] for the engine.
  static parts(response) {
    return [response.status, [...response.headers], response.#body];
  }
}

function bodyOf(body) {
  if (body === undefined || body === null) return [undefined];
  if (typeof body === "string") return [encode(body), TEXT];
  if (isBytes(body)) return [bytesOf(body)];
  if (body instanceof URLSearchParams) return [encode(body), "application/x-www-form-urlencoded"];
  throw new TypeError("a body is a string or bytes; Response.json(value) makes one of a value");
}

// What a function returned, as a response.
export function responseOf(value) {
  if (value instanceof Response) return value;
  if (value === undefined || value === null) return new Response(undefined, { status: 204 });
  if (typeof value === "string") return new Response(value);
  if (isBytes(value)) return new Response(value, { headers: { "content-type": "application/octet-stream" } });
  return Response.json(value);
}

globalThis.Response = Response;
