/** Tracking codes as typed and as shown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inGroups, readTrackingCode } from "../web/assets/js/tracking-code.js";

test("a code is read with spaces, dashes and any digits", () => {
  for (const typed of ["123456789012", "۱۲۳۴ ۵۶۷۸ ۹۰۱۲", "1234-5678-9012", "\u2066۱۲۳۴ ۵۶۷۸ ۹۰۱۲\u2069"]) assert.equal(readTrackingCode(typed), "123456789012", typed);
});

test("anything but twelve digits is refused", () => {
  for (const typed of ["", "12345678901", "1234567890123", "12345678901x"]) assert.equal(readTrackingCode(typed), null, typed);
});

test("a code is shown in three groups of Persian digits", () => {
  assert.equal(inGroups("123456789012"), "۱۲۳۴ ۵۶۷۸ ۹۰۱۲");
});
