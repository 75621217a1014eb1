/** National IDs and the codes of foreign nationals in one field. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readIdentityNumber } from "../web/assets/js/identity-number.js";
import { checkIdentityNumber } from "../web/assets/js/request-rules.js";

/** @type {{ valid: string[], invalid: { value: string, reason: string }[] }} */
const { valid, invalid } = JSON.parse(readFileSync(new URL("vectors/national-id-vectors.json", import.meta.url), "utf8"));

test("national IDs are read", () => {
  for (const value of valid) assert.deepEqual(readIdentityNumber(value), { value, fault: null });
  const others = invalid.filter(({ value }) => !/^\d{12}$/.test(value));
  assert.ok(others.length > 5);
  for (const { value, reason } of others) assert.equal(readIdentityNumber(value).value, null, reason);
});

test("twelve digits of any set are a foreign national's code", () => {
  for (const typed of ["123456789012", "۱۲۳۴۵۶۷۸۹۰۱۲", " ١٢٣٤ ٥٦٧٨ ٩٠١٢ "]) {
    assert.deepEqual(readIdentityNumber(typed), { value: "123456789012", fault: null }, typed);
    assert.equal(checkIdentityNumber(typed), null, typed);
  }
});

test("other numbers are refused with a reason", () => {
  assert.equal(readIdentityNumber("").fault, "empty");
  assert.equal(readIdentityNumber("12345678901").fault, "length");
  assert.equal(readIdentityNumber("1234567890123").fault, "length");
  assert.equal(readIdentityNumber("12345678901a").fault, "not_digits");
  assert.equal(readIdentityNumber("۱۱۱۱۱۱۱۱۱۱۱۱").fault, "equal_digits");
});

test("the expected length is shown for both", () => {
  assert.match(checkIdentityNumber("12345678901") ?? "", /۱۰.*۱۲/);
});
