/** The desk's time, by its responses. */

/** How far the desk's clock is ahead of this device's, in milliseconds: clocks of old phones may be years off. */
let clockAhead = 0;

/**
 * @param {string} moment in UTC, from the desk
 * @returns {number} milliseconds until then
 */
export function millisecondsUntil(moment) {
  return Date.parse(moment) - (Date.now() + clockAhead);
}

/** @returns {Date} now, by the desk's clock as far as it is known */
export function now() {
  return new Date(Date.now() + clockAhead);
}

/**
 * Learn the time from a response.
 * @param {string | null} date
 * @param {string} method a GET may come from the cache with an old date
 */
export function readClock(date, method) {
  const time = Date.parse(date ?? "");
  if (method === "POST" && !Number.isNaN(time)) clockAhead = time - Date.now();
}
