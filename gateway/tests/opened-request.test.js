import assert from "node:assert/strict";
import { test } from "node:test";
import { handOver, takeOver } from "../web/assets/js/opened-request.js";

const HERE = { ctrlKey: false, metaKey: false, shiftKey: false };

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
  handOver("token-1", HERE, read);
  assert.equal(takeOver(read), "token-1");
  assert.equal(takeOver(read), null);
});

test("the last request that was chosen counts", () => {
  const read = tab();
  handOver("token-1", HERE, read);
  handOver("token-2", HERE, read);
  assert.equal(takeOver(read), "token-2");
});

test("without storage the tracking page asks as usual", () => {
  const forbidden = () => {
    throw new DOMException("", "SecurityError");
  };
  handOver("token-1", HERE, forbidden);
  assert.equal(takeOver(forbidden), null);
});

test("a click that opens another tab leaves no token in this one", () => {
  for (const key of ["ctrlKey", "metaKey", "shiftKey"]) {
    const read = tab();
    handOver("token-1", { ...HERE, [key]: true }, read);
    assert.equal(takeOver(read), null);
  }
});
