import assert from "node:assert/strict";
import { test } from "node:test";

import { checkOtherNumber, checkRepresentativeName } from "../web/assets/js/representative.js";

const APPLICANT = "۰۰۱۳۵۴۲۴۱۹";

test("a representative has a name in letters", () => {
  assert.equal(checkRepresentativeName("علی محمدی‌راد"), null);
  assert.match(checkRepresentativeName(" ") ?? "", /نام و نام خانوادگی/u);
  assert.notEqual(checkRepresentativeName("علی ۲"), null);
});

test("a representative is another person than the applicant", () => {
  assert.equal(checkOtherNumber("8275737168", APPLICANT), null);
  assert.match(checkOtherNumber("001-354241-9", APPLICANT) ?? "", /همان کد ملی متقاضی/u);
});

test("a wrong number of a representative is named before it is compared", () => {
  assert.notEqual(checkOtherNumber("", ""), null);
  assert.notEqual(checkOtherNumber("8275737169", APPLICANT), null);
});
