/** Moments of the desk (UTC) as people in Iran read them: Jalali date, Tehran time, Persian words. */

import { toPersian } from "./digits.js";
import { MONTHS, WEEKDAYS, fromGregorian, weekday } from "./jalali.js";

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
  return `${WEEKDAYS[weekday(date)]} ${toPersian(date.day)} ${MONTHS[date.month - 1]} ${toPersian(date.year)}`;
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
  return `${dateInWords(date)}، ساعت ${toPersian(time)}`;
}
