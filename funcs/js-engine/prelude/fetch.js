// fetch, over the HTTP client of the host, which may refuse. It blocks; the promise is for the habit.
import { bytesOf, encode, isBytes } from "funcatron:encoding";
import { Headers } from "funcatron:headers";
import { fetch as send } from "funcatron:native";
import { Response } from "funcatron:response";

globalThis.fetch = async (url, { method = "GET", headers = {}, body } = {}) => {
  const lines = new Headers(headers);
  const [bytes, type] = payload(body);
  if (type && !lines.has("content-type")) lines.set("content-type", type);
  if (bytes.length) lines.set("content-length", bytes.length);
  const [status, received, answer] = send(String(method).toUpperCase(), String(url), [...lines], bytes);
  const response = new Response(answer, { status, headers: received });
  response.url = String(url);
  return response;
};

function payload(body) {
  if (body === undefined || body === null) return [new Uint8Array()];
  if (isBytes(body)) return [bytesOf(body)];
  if (body instanceof URLSearchParams) return [encode(body), "application/x-www-form-urlencoded"];
  return [encode(body), "text/plain; charset=utf-8"];
}
