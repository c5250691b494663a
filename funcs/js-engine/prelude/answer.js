// From one raw request to [status, header lines, body]: load the source, find the function, call it.
import { describeError, headline, userFrames } from "funcatron:inspect";
import { Problem, problemResponse } from "funcatron:problem";
import { requestOf } from "funcatron:request";
import { Response, responseOf } from "funcatron:response";

const DESCRIBE = "x-funcatron-describe";

export async function answer(raw) {
  return Response.parts(await respond(raw));
}

// The answer for a promise that nothing can settle any more.
export function unsettled(raw) {
  const error = new Error(`${header(raw, "x-funcatron-operation") || raw.name} waits for a promise that never settles`);
  error.stack = "";
  return Response.parts(isDescribing(raw) ? complaint(error, raw) : failure(error, raw));
}

async function respond(raw) {
  try {
    const functions = await loadSource(raw);
    if (isDescribing(raw)) return description(functions);
    return responseOf(await call(functions, raw));
  } catch (error) {
    if (isDescribing(raw)) return complaint(error, raw);
    if (error instanceof Problem) return problemResponse(error, header(raw, "x-request-id"));
    return failure(error, raw);
  }
}

async function loadSource(raw) {
  const [namespace, loaded] = raw.load();
  await loaded;
  return namespace;
}

function call(functions, raw) {
  const request = requestOf(raw);
  const run = functions[request.operation];
  if (typeof run !== "function") throw new Error(`${raw.name} exports no function ${request.operation}`);
  return run(request);
}

function description(functions) {
  const operations = Object.keys(functions).filter((name) => typeof functions[name] === "function");
  return Response.json({ operations }, { headers: { [DESCRIBE]: "operations" } });
}

// Why the source cannot be loaded, with the place, for whoever uploads it.
function complaint(error, { name }) {
  const place = userFrames(error).map((frame) => /(\d+):(\d+)\)?$/.exec(frame)).find(Boolean);
  const body = { error: headline(error), file: name, line: Number(place?.[1] ?? 1), column: Number(place?.[2] ?? 1) };
  return Response.json(body, { status: 422, headers: { [DESCRIBE]: "operations" } });
}

// The log gets the whole error; the client gets it where the deployment shows errors.
function failure(error, raw) {
  console.error(error instanceof Error ? describeError(error) : headline(error));
  const members = raw.detail ? { stack: userFrames(error).join("\n") } : {};
  const problem = new Problem(500, raw.detail ? headline(error) : "the Func failed", members);
  return problemResponse(problem, header(raw, "x-request-id"));
}

const isDescribing = (raw) => header(raw, DESCRIBE) === "operations";
const header = (raw, name) => raw.headers.find(([key]) => key === name)?.[1] ?? "";
