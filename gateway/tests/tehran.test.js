/** Moments in Tehran. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { dateInWords, dayAndTimeOf, dayOf, inTehran } from "../web/assets/js/tehran.js";

test("a due date is said in words", () => {
  assert.equal(dayOf("2026-12-13T20:29:59Z"), "یکشنبه ۲۲ آذر ۱۴۰۵");
});

test("the day in Tehran begins at half past eight in the evening of UTC", () => {
  assert.deepEqual(inTehran(new Date("2026-12-13T20:29:59Z")), { date: { year: 1405, month: 9, day: 22 }, time: "23:59" });
  assert.deepEqual(inTehran(new Date("2026-12-13T20:30:00Z")), { date: { year: 1405, month: 9, day: 23 }, time: "00:00" });
});

test("date and time stand together", () => {
  assert.equal(dayAndTimeOf("2026-11-22T05:35:00Z"), "یکشنبه ۱ آذر ۱۴۰۵، ساعت ۰۹:۰۵");
});

test("summer time was in force until 1401", () => {
  assert.equal(inTehran(new Date("2022-07-01T12:00:00Z")).time, "16:30");
  assert.equal(inTehran(new Date("2023-07-01T12:00:00Z")).time, "15:30");
});

test("a date in words has weekday, day, month and year in this order", () => {
  assert.equal(dateInWords({ year: 1357, month: 11, day: 22 }), "یکشنبه ۲۲ بهمن ۱۳۵۷");
});
