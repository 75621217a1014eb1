/** National IDs compared with the shared vectors. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readNationalId } from "../web/assets/js/national-id.js";

const { valid, invalid, normalise } = JSON.parse(readFileSync(new URL("vectors/national-id-vectors.json", import.meta.url), "utf8"));

test("valid numbers are read unchanged", () => {
  for (const value of valid) assert.deepEqual(readNationalId(value), { value, fault: null });
});

test("invalid numbers are refused", () => {
  for (const { value, reason } of invalid) assert.equal(readNationalId(value).value, null, reason);
});

test("other digits, invisible marks and lost zeros are corrected", () => {
  for (const { input, output, why } of normalise) assert.equal(readNationalId(input).value, output, why);
});

test("each error has its own reason", () => {
  assert.equal(readNationalId("  ").fault, "empty");
  assert.equal(readNationalId("12345678a0").fault, "not_digits");
  assert.equal(readNationalId("12345678901").fault, "length");
  assert.equal(readNationalId("1234567").fault, "length");
  assert.equal(readNationalId("1111111111").fault, "equal_digits");
  assert.equal(readNationalId("4798251411").fault, "check_digit");
});
