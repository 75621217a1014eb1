/** The three digit sets. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { persianNumber, toAscii, toPersian, typedDigits } from "../web/assets/js/digits.js";

test("Persian and Arabic-Indic digits become ASCII, letters stay", () => {
  assert.equal(toAscii("۰۱۲۳۴۵۶۷۸۹ ٠١٢٣٤٥٦٧٨٩ کد"), "0123456789 0123456789 کد");
});

test("all digits are shown as Persian ones", () => {
  assert.equal(toPersian("0912 ٣ ۴"), "۰۹۱۲ ۳ ۴");
  assert.equal(toPersian(1405), "۱۴۰۵");
});

test("a pasted number loses spaces and invisible marks, and keeps characters that must be refused", () => {
  assert.equal(typedDigits("\u200f ۱۲۳\u200c٤٥ \u200e"), "12345");
  assert.equal(typedDigits("-12 3"), "-123");
  assert.equal(typedDigits("１２３"), "123");
});

test("large numbers are grouped by thousands", () => {
  assert.equal(persianNumber(4000), "۴٬۰۰۰");
  assert.equal(persianNumber(999), "۹۹۹");
  assert.equal(persianNumber(1234567), "۱٬۲۳۴٬۵۶۷");
});
