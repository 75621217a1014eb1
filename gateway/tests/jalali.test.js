/** The Jalali calendar compared with the shared vectors and with Intl. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compare, dayNumber, daysInMonth, exists, fromDayNumber, fromGregorian, isLeapYear, plusMonths, toGregorian, toIso, weekday } from "../web/assets/js/jalali.js";
import { words } from "../web/assets/js/words.js";

const { vectors, leap_years_1380_1420: leapYears, invalid_dates: invalidDates } = JSON.parse(
  readFileSync(new URL("vectors/jalali-vectors.json", import.meta.url), "utf8"),
);

/** @param {string} iso */
function parse(iso) {
  const [year = NaN, month = NaN, day = NaN] = iso.split("-").map(Number);
  return { year, month, day };
}

test("each vector has its Gregorian day, its weekday and its kind of year", () => {
  for (const { jalali, gregorian, weekday_fa: name, leap_year: leap } of vectors) {
    const date = parse(jalali);
    const { year, month, day } = parse(gregorian);
    assert.ok(exists(date), jalali);
    assert.equal(toGregorian(date), gregorian);
    assert.deepEqual(fromGregorian(year, month, day), date);
    assert.equal(words.weekdays[weekday(date)], name, jalali);
    assert.equal(isLeapYear(date.year), leap, jalali);
  }
});

test("leap years from 1380 to 1420 are the known ones", () => {
  const years = Array.from({ length: 41 }, (_, index) => 1380 + index);
  assert.deepEqual(years.filter(isLeapYear), leapYears);
});

test("invalid dates do not exist", () => {
  for (const { jalali, why } of invalidDates) assert.equal(exists(parse(jalali)), false, why);
});

test("every day from 1280 to 1420 agrees with Intl", () => {
  const intl = new Intl.DateTimeFormat("en-u-ca-persian-nu-latn", { timeZone: "UTC", year: "numeric", month: "numeric", day: "numeric" });
  const last = dayNumber({ year: 1420, month: 12, day: 30 });
  for (let number = dayNumber({ year: 1280, month: 1, day: 1 }); number <= last; number += 1) {
    const date = fromDayNumber(number);
    const part = Object.fromEntries(intl.formatToParts(new Date(number * 86_400_000)).map(({ type, value }) => [type, value]));
    assert.equal(`${date.year}-${date.month}-${date.day}`, `${part.year}-${part.month}-${part.day}`);
    assert.equal(dayNumber(date), number);
  }
});

test("moving by months ends on the last day of a shorter month", () => {
  assert.deepEqual(plusMonths({ year: 1403, month: 6, day: 31 }, 1), { year: 1403, month: 7, day: 30 });
  assert.deepEqual(plusMonths({ year: 1403, month: 12, day: 30 }, 12), { year: 1404, month: 12, day: 29 });
  assert.deepEqual(plusMonths({ year: 1404, month: 1, day: 5 }, -1), { year: 1403, month: 12, day: 5 });
  assert.equal(daysInMonth(1404, 12), 29);
});

test("dates are compared by day and written with zeros", () => {
  assert.ok(compare({ year: 1361, month: 12, day: 5 }, { year: 1362, month: 1, day: 1 }) < 0);
  assert.equal(compare({ year: 1361, month: 12, day: 5 }, { year: 1361, month: 12, day: 5 }), 0);
  assert.equal(toIso({ year: 1361, month: 2, day: 5 }), "1361-02-05");
});
