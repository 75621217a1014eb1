import assert from "node:assert/strict";
import { test } from "node:test";

import { matching, meant } from "../web/assets/js/combobox-match.js";
import { searchKey } from "../web/assets/js/fold.js";

const PROVINCES = [
  { value: "east-azerbaijan", label: "آذربایجان شرقی", also: "041" },
  { value: "isfahan", label: "اصفهان", also: "031" },
  { value: "chaharmahal-and-bakhtiari", label: "چهارمحال و بختیاری", also: "038" },
  { value: "south-khorasan", label: "خراسان جنوبی", also: "056" },
  { value: "razavi-khorasan", label: "خراسان رضوی", also: "051" },
  { value: "kerman", label: "کرمان", also: "034" },
  { value: "kermanshah", label: "کرمانشاه", also: "083" },
  { value: "golestan", label: "گلستان", also: "017" },
  { value: "sistan-and-baluchestan", label: "سیستان و بلوچستان", also: "054" },
];

/** @param {string} typed */
const found = (typed) => matching(PROVINCES, typed).map(({ value }) => value);

test("Arabic letters, half-spaces, marks and case do not matter", () => {
  assert.equal(searchKey("كرمانشاة"), "کرمانشاه");
  assert.equal(searchKey(" ISFAHAN "), "isfahan");
  assert.equal(searchKey("چهار\u200cمحال"), "چهار محال");
  assert.equal(searchKey("آذَربایـجان"), searchKey("اذربايجان"));
});

test("a part of the name is enough, however it is spelt", () => {
  assert.deepEqual(found("اذربايجان"), ["east-azerbaijan"]);
  assert.deepEqual(found("چهار محال"), ["chaharmahal-and-bakhtiari"]);
  assert.deepEqual(found("چهار‌محال"), ["chaharmahal-and-bakhtiari"]);
  assert.deepEqual(found("جنوبی خراسان"), ["south-khorasan"]);
  assert.deepEqual(found("خراسان"), ["south-khorasan", "razavi-khorasan"]);
});

test("the English name and the area code match too, in any digits", () => {
  assert.deepEqual(found("Razavi"), ["razavi-khorasan"]);
  assert.deepEqual(found("۰۳۱"), ["isfahan"]);
  assert.deepEqual(found("٠٣١"), ["isfahan"]);
  assert.deepEqual(found("051"), ["razavi-khorasan"]);
});

test("choices that begin with the typed text come first", () => {
  assert.deepEqual(found("ستان"), ["golestan", "sistan-and-baluchestan"]);
  assert.deepEqual(found("س")[0], "sistan-and-baluchestan");
});

test("nothing matches text that is no name", () => {
  assert.deepEqual(found("تورنتو"), []);
});

test("a full name is chosen although it begins another", () => {
  assert.equal(meant(PROVINCES, "كرمان")?.value, "kerman");
  assert.equal(meant(PROVINCES, "کرمانش")?.value, "kermanshah");
});

test("text that matches several choices, none or all is no choice", () => {
  assert.equal(meant(PROVINCES, "خراسان"), null);
  assert.equal(meant(PROVINCES, "تورنتو"), null);
  assert.equal(meant(PROVINCES, "  "), null);
});
