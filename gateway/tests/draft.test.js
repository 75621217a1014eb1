/** What the tab stores. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../web/assets/js/draft.js";
import { isKeptRequest } from "../web/assets/js/request-draft.js";

const HOUR = 60 * 60 * 1_000;

/** @param {unknown} value @returns {value is string} */
const isText = (value) => typeof value === "string";

/** A tab with a storage like that of a browser. */
function tab() {
  /** @type {Map<string, string>} */
  const kept = new Map();
  const storage = /** @type {Storage} */ (/** @type {unknown} */ ({
    getItem: (/** @type {string} */ name) => kept.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ text) => void kept.set(name, text),
    removeItem: (/** @type {string} */ name) => void kept.delete(name),
  }));
  const environment = { read: () => storage, now: () => 1_000 };
  return { kept, storage, environment };
}

test("a stored draft is read by the next page", () => {
  const { environment } = tab();
  new Draft("a", 1, isText, environment).write("سلام");
  assert.equal(new Draft("a", 1, isText, environment).read(), "سلام");
});

test("a cleared draft is deleted", () => {
  const { kept, environment } = tab();
  const draft = new Draft("a", 1, isText, environment);
  draft.write("سلام");
  draft.clear();
  assert.equal(draft.read(), null);
  assert.equal(kept.size, 0);
});

test("another version, another shape or invalid JSON is ignored", () => {
  for (const text of ['{"version":2,"at":1000,"value":"x"}', '{"version":1,"at":1000,"value":5}', "null", "{", ""]) {
    const { kept, environment } = tab();
    kept.set("a", text);
    assert.equal(new Draft("a", 1, isText, environment).read(), null);
    assert.equal(kept.size, 0, text);
  }
});

test("a draft is ignored after a day, when the desk has deleted its files", () => {
  const { environment } = tab();
  new Draft("a", 1, isText, environment).write("x");
  assert.equal(new Draft("a", 1, isText, { ...environment, now: () => 23 * HOUR }).read(), "x");
  assert.equal(new Draft("a", 1, isText, { ...environment, now: () => 25 * HOUR }).read(), null);
});

test("forbidden storage stores nothing and breaks nothing", () => {
  const draft = new Draft("a", 1, isText, { read: () => { throw new Error("SecurityError"); }, now: () => 0 });
  draft.write("x");
  draft.clear();
  assert.equal(draft.read(), null);
  assert.equal(draft.isOther, false);
});

test("full storage drops the draft rather than keeping an old one", () => {
  const { kept, storage, environment } = tab();
  const draft = new Draft("a", 1, isText, environment);
  draft.write("old");
  storage.setItem = () => { throw new Error("QuotaExceededError"); };
  draft.write("new");
  assert.equal(kept.size, 0);
  assert.equal(draft.isOther, false);
});

test("a page restored from the browser's cache sees that another page has sent the draft", () => {
  const { environment } = tab();
  const here = new Draft("a", 1, isText, environment);
  here.write("x");
  assert.equal(here.isOther, false);
  const there = new Draft("a", 1, isText, environment);
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

test("a value of another shape is no draft", () => {
  for (const change of [
    { fields: null }, { fields: { text: 5 } }, { identity: {} }, { identity: { ...WHOLE.identity, person: { status: "matched" } } },
    { files: {} }, { files: [{ name: "a.pdf" }] }, { files: [{ name: "a.pdf", size: 5, sent: { id: 5 } }] }, { attempt: { key: "k" } },
  ]) assert.ok(!isKeptRequest({ ...WHOLE, ...change }), JSON.stringify(change));
});
