// Problem: an error for the client (RFC 9457). Thrown, it becomes the response.
import { Response } from "funcatron:response";

const TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

export class Problem extends Error {
  constructor(status, detail, members = {}) {
    super(detail);
    this.name = "Problem";
    if (!Number.isInteger(status) || status < 400 || status > 599) throw new RangeError(`no problem status: ${status}`);
    this.status = status;
    this.detail = detail;
    this.members = members;
    this.headers = {};
  }

  static badRequest(detail, members) {
    return new Problem(400, detail, members);
  }

  static unauthorized(detail, members) {
    return new Problem(401, detail, members);
  }

  static forbidden(detail, members) {
    return new Problem(403, detail, members);
  }

  static notFound(detail, members) {
    return new Problem(404, detail, members);
  }

  static conflict(detail, members) {
    return new Problem(409, detail, members);
  }

  withHeader(name, value) {
    this.headers[name] = value;
    return this;
  }
}

export function problemResponse(problem, requestId) {
  const { status, detail, members, headers } = problem;
  const title = TITLES[status] ?? (status < 500 ? "Client Error" : "Server Error");
  const body = { type: "about:blank", title, status, detail, ...members };
  if (requestId) body.request_id = requestId;
  return Response.json(body, { status, headers: { "content-type": "application/problem+json", ...headers } });
}

globalThis.Problem = Problem;
