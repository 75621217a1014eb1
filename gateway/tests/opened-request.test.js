import assert from "node:assert/strict";
import { test } from "node:test";
import { handOver, takeOver } from "../web/assets/js/opened-request.js";

/** @returns {() => Storage} a storage of one tab */
function tab() {
  const values = new Map();
  const storage = {
    getItem: (/** @type {string} */ name) => values.get(name) ?? null,
    setItem: (/** @type {string} */ name, /** @type {string} */ value) => values.set(name, value),
    removeItem: (/** @type {string} */ name) => values.delete(name),
  };
  return () => /** @type {Storage} */ (/** @type {unknown} */ (storage));
}

test("a token is handed over once", () => {
  const read = tab();
  handOver("token-1", read);
  assert.equal(takeOver(read), "token-1");
  assert.equal(takeOver(read), null);
});

test("the last request that was chosen counts", () => {
  const read = tab();
  handOver("token-1", read);
  handOver("token-2", read);
  assert.equal(takeOver(read), "token-2");
});

test("without storage the tracking page asks as usual", () => {
  const forbidden = () => {
    throw new DOMException("", "SecurityError");
  };
  handOver("token-1", forbidden);
  assert.equal(takeOver(forbidden), null);
});
