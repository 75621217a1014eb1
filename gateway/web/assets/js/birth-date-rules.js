/** Rules for a birth date typed in three fields. */

import { typedDigits } from "./digits.js";
import { compare, daysInMonth } from "./jalali.js";
import { words } from "./words.js";

/** @typedef {import("./jalali.js").JalaliDate} JalaliDate */
/** @typedef {"day" | "month" | "year"} DatePart */
/** @typedef {Record<DatePart, string>} TypedDate */
/** @typedef {{ date: JalaliDate, message: null, parts: [] } | { date: null, message: string, parts: DatePart[] }} BirthDateReading */

export const FIRST_YEAR = 1280;

/** @type {DatePart[]} */
const PARTS = ["day", "month", "year"];

/**
 * @param {TypedDate} typed
 * @param {JalaliDate} today
 * @returns {BirthDateReading} the date, or what to correct and in which of the three fields
 */
export function readBirthDate(typed, today) {
  const say = words.birthDate;
  const missing = PARTS.filter((part) => typedDigits(typed[part]) === "");
  if (missing.length === 3) return refused(say.missing, missing);
  if (missing.length > 0) return refused(say.incomplete(missing.map((part) => say.parts[part])), missing);

  const [day, month, year] = [wholeNumber(typed.day), wholeNumber(typed.month), wholeNumber(typed.year)];
  if (!(month >= 1 && month <= 12)) return refused(say.month, ["month"]);
  if (year >= 1900 && year <= 2100) return refused(say.gregorianYear, ["year"]);
  if (!(year >= FIRST_YEAR && year <= 9999)) return refused(say.year, ["year"]);
  if (!(day >= 1 && day <= daysInMonth(year, month))) {
    return refused(say.day(month, year, daysInMonth(year, month)), ["day"]);
  }
  const date = { year, month, day };
  if (compare(date, today) > 0) return refused(say.future, ["day", "month", "year"]);
  return { date, message: null, parts: [] };
}

/**
 * Whether one more keystroke could still make another day (the 1 of 12).
 * @param {string} day
 * @returns {boolean}
 */
export function mayGoOn(day) {
  return /^[0-3]$/.test(typedDigits(day));
}

/**
 * @param {string} typed
 * @returns {number} NaN if it is not a whole number
 */
function wholeNumber(typed) {
  const digits = typedDigits(typed);
  return /^\d{1,4}$/.test(digits) ? Number(digits) : NaN;
}

/**
 * @param {string} message
 * @param {DatePart[]} parts
 * @returns {BirthDateReading}
 */
function refused(message, parts) {
  return { date: null, message, parts };
}
