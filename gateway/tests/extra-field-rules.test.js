import assert from "node:assert/strict";
import { test } from "node:test";
import { checkExtraField, isIban } from "../web/assets/js/extra-field-rules.js";
import { words } from "../web/assets/js/words.js";

/** @param {string} kind @param {string} typed @param {boolean} [required] */
const check = (kind, typed, required = true) =>
  checkExtraField(/** @type {any} */ ({ key: "field", title: "خانه", title_en: "Field", kind, required }), typed);

test("an empty field is refused only if it is required", () => {
  assert.equal(check("text", " "), words.extra.missing);
  assert.equal(check("text", " ", false), null);
});

test("an IBAN is accepted as people write it, and its check digits count", () => {
  for (const typed of ["IR580540105180021273113007", "ir58 0540 1051 8002 1273 1130 07", "۵۸۰۵۴۰۱۰۵۱۸۰۰۲۱۲۷۳۱۱۳۰۰۷"]) assert.ok(isIban(typed), typed);
  for (const typed of ["IR580540105180021273113008", "IR58054010518002127311300", "", "DE89370400440532013000"]) assert.ok(!isIban(typed), typed);
});

for (const [kind, right, wrong] of [
  ["number", "۱۲۳", "12a"],
  ["receipt_number", "1234 5678", "123"],
  ["date", "۱۴۰۵/۹/۲۲", "1405/13/01"],
  ["iban", "IR580540105180021273113007", "IR1"],
  ["text", "متن", "x".repeat(201)],
]) {
  test(`a ${kind} is checked as the desk checks it`, () => {
    assert.equal(check(kind ?? "", right ?? ""), null);
    assert.notEqual(check(kind ?? "", wrong ?? ""), null);
  });
}
