/** The tracking code: twelve digits, shown in three groups of four. */

import { typedDigits } from "./digits.js";
import { digits } from "./language.js";

/**
 * @param {string} text
 * @returns {string | null} twelve ASCII digits, or null
 */
export function readTrackingCode(text) {
  const digits = typedDigits(text).replace(/[-‐‑–]/g, "");
  return /^[0-9]{12}$/.test(digits) ? digits : null;
}

/**
 * Belongs in a left-to-right isolate, or a right-to-left page reverses the groups.
 * @param {string} code twelve ASCII digits
 * @returns {string} such as «۱۲۳۴ ۵۶۷۸ ۹۰۱۲»
 */
export function inGroups(code) {
  return digits(code.replace(/(\d{4})(?=\d)/g, "$1 "));
}
