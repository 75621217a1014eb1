/** The idempotency key of a request. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { IdempotencyKey, randomUuid } from "../web/assets/js/idempotency.js";

test("the same content keeps its key, so that a retry creates no second request", () => {
  const key = new IdempotencyKey();
  assert.equal(key.for({ text: "one" }), key.for({ text: "one" }));
});

test("other content takes a new key", () => {
  const key = new IdempotencyKey();
  assert.notEqual(key.for({ text: "one" }), key.for({ text: "two" }));
});

test("after a refusal even the same content takes a new key", () => {
  const key = new IdempotencyKey();
  const first = key.for({ text: "one" });
  key.forget();
  assert.notEqual(key.for({ text: "one" }), first);
});

test("a key is a version 4 UUID", () => {
  assert.match(randomUuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("a reloaded page sends the same content with the same key", () => {
  const key = new IdempotencyKey();
  const first = key.for({ text: "one" });
  const kept = JSON.parse(JSON.stringify(key.attempt));
  assert.equal(new IdempotencyKey(kept).for({ text: "one" }), first);
  assert.notEqual(new IdempotencyKey(kept).for({ text: "two" }), first);
});

test("without an unknown outcome there is nothing to keep", () => {
  const key = new IdempotencyKey();
  assert.equal(key.attempt, null);
  key.for({ text: "one" });
  key.forget();
  assert.equal(key.attempt, null);
});

test("a refused code keeps the key for the same content, and nothing is in doubt", () => {
  const key = new IdempotencyKey();
  const first = key.for({ text: "one" });
  key.keepForCodes();
  assert.equal(key.attempt, null);
  assert.equal(key.for({ text: "one" }), first);
  assert.notEqual(key.attempt, null);
  assert.notEqual(key.for({ text: "two" }), first);
});
