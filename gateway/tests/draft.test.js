/** What is kept in the tab. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../web/assets/js/draft.js";
import { isKeptRequest } from "../web/assets/js/request-draft.js";

const HOUR = 60 * 60 * 1_000;

/** @param {unknown} value @returns {value is string} */
const isText = (value) => typeof value === "string";

/** A tab with a storage like a browser's. */
function tab() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = /** @type {Storage} */ (/** @type {unknown} */ ({
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ text) => void kept.set(name, text),
    removeItem: (/** @type {string} */ name) => void kept.delete(name),
  }));
  const surroundings = { read: () => storage, now: () => 1_000 };
  return { kept, storage, surroundings };
}

test("what is written is read by the page that comes after", () => {
  const { surroundings } = tab();
  new Draft("a", 1, isText, surroundings).write("سلام");
  assert.equal(new Draft("a", 1, isText, surroundings).read(), "سلام");
});

test("what is cleared is gone", () => {
  const { kept, surroundings } = tab();
  const draft = new Draft("a", 1, isText, surroundings);
  draft.write("سلام");
  draft.clear();
  assert.equal(draft.read(), null);
  assert.equal(kept.size, 0);
});

test("another version, another shape, no JSON at all: each is forgotten", () => {
  for (const text of ['{"version":2,"at":1000,"value":"x"}', '{"version":1,"at":1000,"value":5}', "null", "{", ""]) {
    const { kept, surroundings } = tab();
    kept.set("a", text);
    assert.equal(new Draft("a", 1, isText, surroundings).read(), null);
    assert.equal(kept.size, 0, text);
  }
});

test("a day later it is forgotten, as the desk has forgotten its files", () => {
  const { surroundings } = tab();
  new Draft("a", 1, isText, surroundings).write("x");
  assert.equal(new Draft("a", 1, isText, { ...surroundings, now: () => 23 * HOUR }).read(), "x");
  assert.equal(new Draft("a", 1, isText, { ...surroundings, now: () => 25 * HOUR }).read(), null);
});

test("forbidden storage keeps nothing and breaks nothing", () => {
  const draft = new Draft("a", 1, isText, { read: () => { throw new Error("SecurityError"); }, now: () => 0 });
  draft.write("x");
  draft.clear();
  assert.equal(draft.read(), null);
  assert.equal(draft.isOther, false);
});

test("full storage drops the draft rather than keeping an old one", () => {
  const { kept, storage, surroundings } = tab();
  const draft = new Draft("a", 1, isText, surroundings);
  draft.write("old");
  storage.setItem = () => { throw new Error("QuotaExceededError"); };
  draft.write("new");
  assert.equal(kept.size, 0);
  assert.equal(draft.isOther, false);
});

test("a page that comes out of the browser's cache sees that another one has sent the draft", () => {
  const { surroundings } = tab();
  const here = new Draft("a", 1, isText, surroundings);
  here.write("x");
  assert.equal(here.isOther, false);
  const there = new Draft("a", 1, isText, surroundings);
  there.read();
  assert.equal(there.isOther, false);
  there.clear();
  assert.equal(here.isOther, true);
});

const WHOLE = {
  fields: { text: "سلام" },
  identity: {
    nationalId: "0012345679", birthDate: "1361-12-05", person: { status: "matched", token: "t" }, refusal: null,
    names: { first_name: "", last_name: "", gender: "" },
  },
  files: [{ name: "a.pdf", size: 5, sent: { id: "1", pair: "p", token: "t" } }, { name: "b.pdf", size: 6, sent: null }],
  attempt: { key: "k", content: "{}" },
};

test("a whole request is a draft, and so is an empty one", () => {
  assert.ok(isKeptRequest(WHOLE));
  assert.ok(isKeptRequest({ fields: {}, identity: null, files: [], attempt: null }));
});

test("what has another shape is no draft", () => {
  for (const change of [
    { fields: null }, { fields: { text: 5 } }, { identity: {} }, { identity: { ...WHOLE.identity, person: { status: "matched" } } },
    { files: {} }, { files: [{ name: "a.pdf" }] }, { files: [{ name: "a.pdf", size: 5, sent: { id: 5 } }] }, { attempt: { key: "k" } },
  ]) assert.ok(!isKeptRequest({ ...WHOLE, ...change }), JSON.stringify(change));
});
