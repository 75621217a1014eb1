/** Checks of the further fields of a sub-subject; the desk checks the same. */

import { cleanNumber, typedDigits } from "./digits.js";
import { fold } from "./fold.js";
import { exists } from "./jalali.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").ExtraField} ExtraField */

const IBAN_DIGITS = 24;
const LETTERS_OF_IR = "1827";
const MODULUS = 97n;

/**
 * @param {ExtraField} field
 * @param {string} typed
 * @returns {string | null} the message to show, or null if the value is valid
 */
export function checkExtraField({ kind, required = true }, typed) {
  const say = words.extra;
  if (fold(typed) === "") return required ? say.missing : null;
  switch (kind) {
    case "text":
      return Array.from(fold(typed)).length <= 200 ? null : say.text;
    case "number":
      return /^\d{1,15}$/.test(cleanNumber(typed)) ? null : say.number;
    case "receipt_number":
      return /^\d{4,20}$/.test(cleanNumber(typed)) ? null : say.receiptNumber;
    case "date":
      return isJalali(typed) ? null : say.date;
    case "iban":
      return isIban(typed) ? null : say.iban;
    default:
      return null;
  }
}

/**
 * @param {string} typed with or without `IR`, in groups or not
 * @returns {boolean} whether the check digits fit (ISO 13616)
 */
export function isIban(typed) {
  const digits = cleanNumber(typed).toUpperCase().replace(/^IR/, "");
  if (!/^\d+$/.test(digits) || digits.length !== IBAN_DIGITS) return false;
  return BigInt(`${digits.slice(2)}${LETTERS_OF_IR}${digits.slice(0, 2)}`) % MODULUS === 1n;
}

/**
 * @param {string} typed such as 1405/9/22
 * @returns {boolean}
 */
function isJalali(typed) {
  const [, year, month, day] = /^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$/.exec(typedDigits(typed).trim()) ?? [];
  return year !== undefined && exists({ year: Number(year), month: Number(month), day: Number(day) });
}
