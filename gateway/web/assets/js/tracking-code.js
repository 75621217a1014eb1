/** The tracking code: twelve digits, shown in three groups of four. */

import { typedDigits } from "./digits.js";
import { digits } from "./language.js";

/** Twelve digits in groups, with the surrounding words of a copied message. */
const TWELVE_DIGITS = /^[^0-9]*?((?:[0-9][-\u2010-\u2015\u2212./]*){12})[^0-9]*$/;

/**
 * @param {string} text
 * @returns {string | null} twelve ASCII digits, or null
 */
export function readTrackingCode(text) {
  const match = TWELVE_DIGITS.exec(typedDigits(text));
  return match === null ? null : (match[1] ?? "").replace(/[^0-9]/g, "");
}

/**
 * Needs a left-to-right isolate, or a right-to-left page reverses the groups.
 * @param {string} code twelve ASCII digits
 * @returns {string} such as «۱۲۳۴ ۵۶۷۸ ۹۰۱۲»
 */
export function inGroups(code) {
  return digits(code.replace(/(\d{4})(?=\d)/g, "$1 "));
}
