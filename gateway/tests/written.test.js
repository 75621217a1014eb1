/** Directions of what people have written. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { pieces } from "../web/assets/js/written.js";

/** @param {string} text */
const numbers = (text) => pieces(text).filter(({ isNumber }) => isNumber).map((piece) => piece.text);

test("the groups of a number stay together, in every digit set", () => {
  assert.deepEqual(numbers("شماره تماس: 021-8888 8888 یا +98 912 123 4567."), ["021-8888 8888", "+98 912 123 4567"]);
  assert.deepEqual(numbers("کد ۶۴۴۱ ۱۸۰۷ ۴۰۱۰ و تاریخ ۱۴۰۵/۰۹/۲۲"), ["۶۴۴۱ ۱۸۰۷ ۴۰۱۰", "۱۴۰۵/۰۹/۲۲"]);
  assert.deepEqual(numbers("+98 (0)912 123 4567"), ["+98 (0)912 123 4567"]);
});

test("a number ends with its line", () => {
  assert.deepEqual(numbers("12\n34"), ["12", "34"]);
});

test("nothing of the text is lost", () => {
  for (const text of ["", "سلام", "line\n\nخط 12-34.", "5"]) {
    assert.equal(pieces(text).map((piece) => piece.text).join("").replaceAll("\u200f", ""), text);
  }
});

test("a line without letters goes as the page does", () => {
  assert.equal(pieces("سلام\n12 34\nHello").map((piece) => piece.text).join(""), "سلام\n\u200f12 34\nHello");
});
