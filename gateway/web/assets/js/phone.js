/** Iranian telephone numbers. Operators' prefixes are not checked: blocks are added and numbers are ported. */

import { typedDigits } from "./digits.js";

/**
 * @param {string} text with or without 0, 98, +98 or 0098 in front
 * @returns {string | null} 09 and nine digits, or null
 */
export function readMobile(text) {
  const local = dialled(text).replace(/^(\+98|0098|98(?=9\d{9}$)|0)/, "");
  return /^9\d{9}$/.test(local) ? `0${local}` : null;
}

/**
 * @param {string} text with or without the area code in front
 * @param {string} areaCode such as 021, or empty while no province is chosen
 * @returns {string | null} the eight digits of the subscriber, or null
 */
export function readLandline(text, areaCode) {
  let number = dialled(text);
  if (areaCode && number.length === areaCode.length + 8 && number.startsWith(areaCode)) {
    number = number.slice(areaCode.length);
  }
  return /^[1-9]\d{7}$/.test(number) ? number : null;
}

/**
 * @param {string} text
 * @returns {string}
 */
function dialled(text) {
  return typedDigits(text).replace(/[-()‐‑–.]/g, "");
}
