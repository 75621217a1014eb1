/** The checks of the other fields. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCaptchaAnswer, checkEmail, checkIdentityNumber, checkLandline, checkMobile, checkMobileCode, checkText, checkTrackingCode, textLength } from "../web/assets/js/request-rules.js";

const LIMITS = { text_min: 10, text_max: 4000 };

test("optional fields may be empty, others say what to do", () => {
  assert.equal(checkEmail(" "), null);
  assert.equal(checkLandline("", ""), null);
  for (const check of [checkIdentityNumber, checkMobile, checkCaptchaAnswer, checkMobileCode, checkTrackingCode]) assert.match(check("") ?? "", /وارد کنید/);
});

test("an email address is checked only for slips", () => {
  for (const email of ["a@b.ir", "name.family+desk@mail.example.com"]) assert.equal(checkEmail(email), null, email);
  for (const email of ["a", "a@b", "a@b.", "علی@b.ir", "a@b.ir,c@d.ir", "a@b.ir\nx"]) assert.notEqual(checkEmail(email), null, email);
});

test("text is counted in characters, without blanks at the ends", () => {
  assert.equal(textLength("  سلام 🕋 \n"), 6);
  assert.notEqual(checkText("         x", LIMITS), null);
  assert.notEqual(checkText("۱۲۳۴۵۶۷۸۹", LIMITS), null);
  assert.equal(checkText("۱۲۳۴۵۶۷۸۹۰", LIMITS), null);
  assert.equal(checkText("ا".repeat(4000), LIMITS), null);
  assert.match(checkText("ا".repeat(4012), LIMITS) ?? "", /۱۲ نویسه/);
});

test("a security code has five digits of any set", () => {
  for (const typed of ["12345", "۱۲۳۴۵", "١٢٣٤٥", " 12 345 "]) assert.equal(checkCaptchaAnswer(typed), null, typed);
  for (const typed of ["1234", "123456", "1234a"]) assert.notEqual(checkCaptchaAnswer(typed), null, typed);
});

test("a code by SMS is five digits of any kind", () => {
  for (const code of ["12345", "۱۲۳۴۵", "١٢٣٤٥", " ۱۲ ۳45 "]) assert.equal(checkMobileCode(code), null, code);
  for (const code of ["1234", "123456", "abcde", "1234a"]) assert.match(checkMobileCode(code) ?? "", /پنج رقم/);
});
