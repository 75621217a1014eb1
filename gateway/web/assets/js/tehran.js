/** Moments of the desk (UTC) as people in Iran read them: Jalali date, Tehran time, Persian words. */

import { fromGregorian, toGregorian, weekday } from "./jalali.js";
import { digits } from "./language.js";
import { words } from "./words.js";

/** @typedef {import("./jalali.js").JalaliDate} JalaliDate */

const CLOCK = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
  timeZone: "Asia/Tehran",
  hourCycle: "h23",
  year: "numeric",
  month: "numeric",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

const GREGORIAN = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "long", year: "numeric" });

/**
 * @param {Date} moment
 * @returns {{ date: JalaliDate, time: string }} time as HH:MM with ASCII digits
 */
export function inTehran(moment) {
  /** @type {Record<string, string>} */
  const part = {};
  for (const { type, value } of CLOCK.formatToParts(moment)) part[type] = value;
  return {
    date: fromGregorian(Number(part.year), Number(part.month), Number(part.day)),
    time: `${String(part.hour).padStart(2, "0")}:${String(part.minute).padStart(2, "0")}`,
  };
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
 * @param {string} iso a moment in UTC
 * @returns {string} its Jalali date in words
 */
export function dayOf(iso) {
  return dateInWords(inTehran(new Date(iso)).date);
}

/**
 * @param {string} iso a moment in UTC
 * @returns {string} such as «یکشنبه ۲۲ آذر ۱۴۰۵، ساعت ۰۹:۰۵»
 */
export function dayAndTimeOf(iso) {
  const { date, time } = inTehran(new Date(iso));
  return words.dateAndTime(dateInWords(date), digits(time));
}
