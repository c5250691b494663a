// console: log, info and debug go to stdout, warn and error to stderr. Each line is an entry of the log, with the level of
// its stream (info, error) or the one that its mark says: the runner takes that off (runner/src/wasm/output.rs).
import { inspect } from "funcatron:inspect";
import { log } from "funcatron:native";

const printer = (isError, mark = "") => (...values) => {
  const lines = values.map(inspect).join(" ").toWellFormed().split("\n");
  log(isError, lines.map((line) => mark + line).join("\n"));
};

globalThis.console = {
  log: printer(false),
  info: printer(false),
  debug: printer(false, "\u0002d"),
  warn: printer(true, "\u0002w"),
  error: printer(true),
};
