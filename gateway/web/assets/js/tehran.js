/**
 * Moments as people in Iran read them: Jalali date, Tehran time, Persian words. The desk sends local date and time with
 * each moment, so that outdated time-zone data of a device cannot shift them.
 */

import { fromGregorian, toGregorian, weekday } from "./jalali.js";
import { digits } from "./language.js";
import { words } from "./words.js";

/** @typedef {import("./jalali.js").JalaliDate} JalaliDate */

/** Iran has had one offset all year since 21 September 2022. */
const OFFSET_MS = 3.5 * 60 * 60 * 1000;

const GREGORIAN = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });

/**
 * The local form of a moment that the desk has sent without it.
 * @param {Date} moment
 * @returns {string} such as "1405-09-22 14:30"
 */
export function localOf(moment) {
  const shifted = new Date(moment.getTime() + OFFSET_MS);
  const { year, month, day } = fromGregorian(shifted.getUTCFullYear(), shifted.getUTCMonth() + 1, shifted.getUTCDate());
  return `${year}-${two(month)}-${two(day)} ${two(shifted.getUTCHours())}:${two(shifted.getUTCMinutes())}`;
}

/**
 * @param {string} local such as "1405-09-22 14:30"
 * @returns {JalaliDate}
 */
export function dateOf(local) {
  const [year = 0, month = 0, day = 0] = local.slice(0, 10).split("-").map(Number);
  return { year, month, day };
}

/** @param {number} number */
function two(number) {
  return String(number).padStart(2, "0");
}

/**
 * @param {JalaliDate} date
 * @returns {string} such as «یکشنبه ۲۲ آذر ۱۴۰۵»
 */
export function dateInWords(date) {
  const gregorian = GREGORIAN.format(new Date(toGregorian(date)));
  return words.date(words.weekdays[weekday(date)] ?? "", date.day, words.months[date.month - 1] ?? "", date.year, gregorian);
}

/**
 * @param {string} local such as "1405-09-22 14:30"
 * @returns {string} its date in words
 */
export function dayOf(local) {
  return dateInWords(dateOf(local));
}

/**
 * @param {string} local such as "1405-09-22 09:05"
 * @returns {string} such as «یکشنبه ۲۲ آذر ۱۴۰۵، ساعت ۰۹:۰۵»
 */
export function dayAndTimeOf(local) {
  return words.dateAndTime(dayOf(local), digits(local.slice(11)));
}
