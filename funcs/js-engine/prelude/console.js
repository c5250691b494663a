// console: log, info and debug go to stdout, warn and error to stderr; each call is one log entry.
import { inspect } from "funcatron:inspect";
import { log } from "funcatron:native";

const printer = (isError) => (...values) => log(isError, values.map(inspect).join(" ").toWellFormed());

globalThis.console = {
  log: printer(false),
  info: printer(false),
  debug: printer(false),
  warn: printer(true),
  error: printer(true),
};
