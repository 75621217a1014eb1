/** Names that are typed while the civil registry is unavailable. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkName } from "../web/assets/js/name-rules.js";

const MISSING = "نام خود را وارد کنید.";

test("names of any script pass", () => {
  for (const name of ["زهرا", "بی‌بی‌گل", "علی رضا", "كمال", "مُحَمَّد", "Anne-Marie Neil", "Ольга"]) {
    assert.equal(checkName(name, MISSING), null, name);
  }
});

test("blanks are no name", () => {
  for (const name of ["", "  ", "\u200c"]) assert.equal(checkName(name, MISSING), MISSING);
});

test("digits, signs and pictures are no letters", () => {
  for (const name of ["علی1", "۱۲۳", "<b>", "a@b", "-", "😀"]) assert.match(checkName(name, MISSING) ?? "", /حروف/, name);
});

test("a name has a maximum length", () => {
  assert.equal(checkName("ن".repeat(60), MISSING), null);
  assert.match(checkName("ن".repeat(61), MISSING) ?? "", /۶۰/);
});
