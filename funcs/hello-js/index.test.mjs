// node --test: the functions are plain, so a test calls them.
import assert from "node:assert/strict";
import { test } from "node:test";

import { getGreeting, postGreeting } from "./index.js";

test("the path's name is greeted in the language asked for", () => {
  const greeting = getGreeting({ params: { name: "Ada" }, query: { lang: "fr" }, props: {} });
  assert.deepEqual(greeting, { message: "Bonjour, Ada!", lang: "fr" });
});

test("the language is English by default", () => {
  const greeting = postGreeting({ body: { name: "Ada" }, props: {} });
  assert.deepEqual(greeting, { message: "Hello, Ada!", lang: "en" });
});

test("a deployment may bring its own words", () => {
  const greeting = postGreeting({ body: { name: "Ada" }, props: { words: { en: "Ahoy" } } });
  assert.equal(greeting.message, "Ahoy, Ada!");
});
