/** The Iranian national ID (کد ملی): ten digits, the last one a check digit. */

import { cleanNumber } from "./digits.js";

/** @typedef {"empty" | "not_digits" | "length" | "equal_digits" | "check_digit"} NationalIdFault */
/** @typedef {{ value: string, fault: null } | { value: null, fault: NationalIdFault }} NationalIdReading */

/**
 * The number as ten ASCII digits, or why it is not a national ID.
 * Eight and nine digits are padded: spreadsheets drop leading zeros.
 * @param {string} text
 * @returns {NationalIdReading}
 */
export function readNationalId(text) {
  const typed = cleanNumber(text);
  if (typed === "") return refused("empty");
  if (!/^[0-9]+$/.test(typed)) return refused("not_digits");
  if (typed.length < 8 || typed.length > 10) return refused("length");
  const digits = typed.padStart(10, "0");
  if (/^(\d)\1{9}$/.test(digits)) return refused("equal_digits");
  if (checkDigit(digits) !== Number(digits[9])) return refused("check_digit");
  return { value: digits, fault: null };
}

/**
 * @param {string} digits at least the first nine
 * @returns {number}
 */
function checkDigit(digits) {
  let sum = 0;
  for (let place = 0; place < 9; place += 1) sum += Number(digits[place]) * (10 - place);
  const remainder = sum % 11;
  return remainder < 2 ? remainder : 11 - remainder;
}

/**
 * @param {NationalIdFault} fault
 * @returns {NationalIdReading}
 */
function refused(fault) {
  return { value: null, fault };
}
