/** Moments in Tehran. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dateInWords, dateOf, dayAndTimeOf, dayOf, localOf } from "../web/assets/js/tehran.js";

test("a due date is said in words", () => {
  assert.equal(dayOf("1405-09-22 23:59"), "یکشنبه ۲۲ آذر ۱۴۰۵");
});

test("the day in Tehran begins at half past eight in the evening of UTC", () => {
  assert.equal(localOf(new Date("2026-12-13T20:29:59Z")), "1405-09-22 23:59");
  assert.equal(localOf(new Date("2026-12-13T20:30:00Z")), "1405-09-23 00:00");
  assert.deepEqual(dateOf("1405-09-23 00:00"), { year: 1405, month: 9, day: 23 });
});

test("date and time are shown together", () => {
  assert.equal(dayAndTimeOf("1405-09-01 09:05"), "یکشنبه ۱ آذر ۱۴۰۵، ساعت ۰۹:۰۵");
});

test("a date in words has weekday, day, month and year in this order", () => {
  assert.equal(dateInWords({ year: 1357, month: 11, day: 22 }), "یکشنبه ۲۲ بهمن ۱۳۵۷");
});
