/** The applicant's number: a national ID (کد ملی), or a foreign national's code (کد فراگیر) of twelve digits. */

import { cleanNumber } from "./digits.js";
import { readNationalId } from "./national-id.js";

/** @typedef {import("./national-id.js").NationalIdReading} NumberReading */

export const FOREIGN_DIGITS = 12;

/**
 * The number in ASCII digits, or why it is neither. A foreign national's code has no check digit.
 * @param {string} text
 * @returns {NumberReading}
 */
export function readIdentityNumber(text) {
  const typed = cleanNumber(text);
  if (!/^[0-9]{12}$/.test(typed)) return readNationalId(text);
  return /^(\d)\1{11}$/.test(typed) ? { value: null, fault: "equal_digits" } : { value: typed, fault: null };
}
