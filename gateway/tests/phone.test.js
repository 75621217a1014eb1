/** Mobile and landline numbers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readLandline, readMobile } from "../web/assets/js/phone.js";

test("a mobile number is read in every common notation", () => {
  for (const typed of ["09123456789", "۰۹۱۲۳۴۵۶۷۸۹", "٠٩١٢٣٤٥٦٧٨٩", "+98 912 345 6789", "00989123456789", "989123456789", "9123456789", "0912-345-6789", "\u200e0912 345 6789\u200f"]) {
    assert.equal(readMobile(typed), "09123456789", typed);
  }
});

test("other numbers are refused, independent of the operator", () => {
  for (const typed of ["", "0912345678", "091234567890", "02188776655", "0912345678a", "912345678"]) assert.equal(readMobile(typed), null, typed);
  assert.equal(readMobile("09991234567"), "09991234567");
  assert.equal(readMobile("9812345678"), "09812345678");
});

test("a landline number may repeat the area code, and has four to eight digits", () => {
  assert.equal(readLandline("88776655", "021"), "88776655");
  assert.equal(readLandline("۰۲۱-۸۸۷۷۶۶۵۵", "021"), "88776655");
  assert.equal(readLandline("8877", "021"), "8877");
  assert.equal(readLandline("02188776655", ""), null);
  assert.equal(readLandline("887", "021"), null);
  assert.equal(readLandline("08776655", "021"), null);
});
