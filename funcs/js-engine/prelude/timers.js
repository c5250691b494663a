// setTimeout. There is one request and nothing else to do, so waiting for a timer is sleeping.
import { now, sleep } from "funcatron:native";

const timers = [];
let lastId = 0;

globalThis.setTimeout = (callback, delay = 0, ...values) => {
  const at = now() + Math.max(0, Number(delay) || 0);
  timers.push({ id: ++lastId, at, run: () => callback(...values) });
  timers.sort((a, b) => a.at - b.at || a.id - b.id);
  return lastId;
};

globalThis.clearTimeout = (id) => {
  const at = timers.findIndex((timer) => timer.id === id);
  if (at >= 0) timers.splice(at, 1);
};

// Waits for the next timer and runs it; false when there is none.
export function runNextTimer() {
  const timer = timers.shift();
  if (!timer) return false;
  sleep(Math.max(0, timer.at - now()));
  try {
    timer.run();
  } catch (error) {
    console.error(error);
  }
  return true;
}
