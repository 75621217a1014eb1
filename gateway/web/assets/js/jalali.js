/**
 * The Jalali calendar by the 33-year rule, which is correct for every year from 1178 to 1633.
 * Pure arithmetic, because browsers differ in their own Persian calendar; the tests compare it with Intl.
 */

/** @typedef {{ year: number, month: number, day: number }} JalaliDate  month 1 to 12 */

const DAY_MS = 86_400_000;
/** The day before 1 Farvardin of year 1, counted from 1970-01-01. */
const EPOCH = 1_948_320 - 2_440_588;

/**
 * @param {number} year
 * @returns {boolean}
 */
export function isLeapYear(year) {
  return (25 * year + 11) % 33 < 8;
}

/**
 * @param {number} year
 * @param {number} month
 * @returns {number}
 */
export function daysInMonth(year, month) {
  if (month <= 6) return 31;
  if (month <= 11) return 30;
  return isLeapYear(year) ? 30 : 29;
}

/**
 * @param {JalaliDate} date
 * @returns {boolean} whether the calendar has this day
 */
export function exists({ year, month, day }) {
  return [year, month, day].every(Number.isInteger)
    && year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

/**
 * @param {JalaliDate} date
 * @returns {number} days since 1970-01-01
 */
export function dayNumber({ year, month, day }) {
  const monthsBefore = month <= 7 ? 31 * (month - 1) : 30 * (month - 1) + 6;
  return EPOCH + daysBeforeYear(year) + monthsBefore + day - 1;
}

/**
 * @param {number} number days since 1970-01-01
 * @returns {JalaliDate}
 */
export function fromDayNumber(number) {
  const days = number - EPOCH;
  const year = 1 + Math.floor((33 * days + 3) / 12_053);
  const dayOfYear = days - daysBeforeYear(year);
  const month = dayOfYear < 186 ? Math.floor(dayOfYear / 31) : Math.floor((dayOfYear - 6) / 30);
  const day = dayOfYear - (month <= 6 ? 31 * month : 30 * month + 6) + 1;
  return { year, month: month + 1, day };
}

/**
 * @param {number} year
 * @param {number} month 1 to 12
 * @param {number} day
 * @returns {JalaliDate}
 */
export function fromGregorian(year, month, day) {
  return fromDayNumber(Date.UTC(year, month - 1, day) / DAY_MS);
}

/**
 * @param {JalaliDate} date
 * @returns {string} the Gregorian day as YYYY-MM-DD
 */
export function toGregorian(date) {
  return new Date(dayNumber(date) * DAY_MS).toISOString().slice(0, 10);
}

/**
 * @param {JalaliDate} date
 * @returns {number} 0 for Saturday to 6 for Friday
 */
export function weekday(date) {
  return (((dayNumber(date) + 5) % 7) + 7) % 7;
}

/**
 * @param {JalaliDate} date
 * @param {number} days
 * @returns {JalaliDate}
 */
export function plusDays(date, days) {
  return fromDayNumber(dayNumber(date) + days);
}

/**
 * The same day some months later or earlier, or the last day of that month if it is shorter.
 * @param {JalaliDate} date
 * @param {number} months
 * @returns {JalaliDate}
 */
export function plusMonths(date, months) {
  const count = date.year * 12 + date.month - 1 + months;
  const year = Math.floor(count / 12);
  const month = count - year * 12 + 1;
  return { year, month, day: Math.min(date.day, daysInMonth(year, month)) };
}

/**
 * @param {JalaliDate} one
 * @param {JalaliDate} other
 * @returns {number} negative if one is earlier, 0 if they are the same day
 */
export function compare(one, other) {
  return one.year - other.year || one.month - other.month || one.day - other.day;
}

/**
 * @param {JalaliDate} date
 * @returns {string} YYYY-MM-DD with ASCII digits, as the desk exchanges birth dates
 */
export function toIso({ year, month, day }) {
  return `${String(year).padStart(4, "0")}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/**
 * @param {number} year
 * @returns {number}
 */
function daysBeforeYear(year) {
  return 365 * (year - 1) + Math.floor((8 * year + 21) / 33);
}
