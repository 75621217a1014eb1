/** A birth date typed in three fields. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { mayGoOn, readBirthDate } from "../web/assets/js/birth-date-rules.js";

const TODAY = { year: 1405, month: 9, day: 1 };

/** @param {string} day @param {string} month @param {string} year */
const read = (day, month, year) => readBirthDate({ day, month, year }, TODAY);

test("a date in any digits is read", () => {
  assert.deepEqual(read("۵", "12", "۱۳۶۱").date, { year: 1361, month: 12, day: 5 });
  assert.deepEqual(read("05", "12", "1361").date, { year: 1361, month: 12, day: 5 });
});

test("a missing part is named", () => {
  assert.deepEqual(read("", "", "").parts, ["day", "month", "year"]);
  const { message, parts } = read("5", "", "");
  assert.deepEqual(parts, ["month", "year"]);
  assert.equal(message, "ماه و سال تولد را هم وارد کنید.");
});

test("a day that the month does not have is refused at the day", () => {
  assert.deepEqual(read("30", "12", "1404").parts, ["day"]);
  assert.equal(read("30", "12", "1403").date?.day, 30);
  assert.deepEqual(read("31", "7", "1361").parts, ["day"]);
  assert.deepEqual(read("x", "7", "1361").parts, ["day"]);
});

test("a short, an early and a Gregorian year are refused at the year", () => {
  for (const year of ["61", "1279", "1983"]) assert.deepEqual(read("5", "12", year).parts, ["year"], year);
  assert.match(read("5", "12", "1983").message ?? "", /شمسی/);
});

test("today is a birth date, tomorrow is not", () => {
  assert.deepEqual(read("1", "9", "1405").date, TODAY);
  assert.equal(read("2", "9", "1405").date, null);
});

test("only a digit from 0 to 3 may become a two-digit day", () => {
  assert.equal(mayGoOn("۱"), true);
  assert.equal(mayGoOn("4"), false);
  assert.equal(mayGoOn("12"), false);
});
