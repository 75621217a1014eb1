/** Rules for the fields of a request, checked before anything is sent. The desk checks again. */

import { typedDigits } from "./digits.js";
import { readEmail } from "./email.js";
import { fold } from "./fold.js";
import { readIdentityNumber } from "./identity-number.js";
import { readForeignMobile, readLandline, readMobile } from "./phone.js";
import { readTrackingCode } from "./tracking-code.js";
import { words } from "./words.js";

/** Every check returns the message to show, or null if the value is valid. */

/**
 * @param {string} typed
 * @returns {string | null}
 */
export function checkIdentityNumber(typed) {
  const { fault } = readIdentityNumber(typed);
  return fault === null ? null : words.nationalId[fault];
}

/**
 * @param {string} typed
 * @param {boolean} [abroad] whether a number of another country will do
 * @returns {string | null}
 */
export function checkMobile(typed, abroad = false) {
  if (typed.trim() === "") return words.mobile.missing;
  if (readMobile(typed) !== null || (abroad && readForeignMobile(typed) !== null)) return null;
  return abroad ? words.mobile.wrongAbroad : words.mobile.wrong;
}

/**
 * @param {string} typed
 * @param {string | null} areaCode null if no province has the typed code
 * @returns {string | null}
 */
export function checkLandline(typed, areaCode) {
  if (typed.trim() === "") return null;
  if (areaCode === null) return words.landline.areaCode;
  return readLandline(typed, areaCode) === null ? words.landline.wrong : null;
}

/**
 * @param {string} typed
 * @returns {string | null}
 */
export function checkEmail(typed) {
  if (typedDigits(typed) === "") return null;
  const { fault } = readEmail(typed);
  return fault === null ? null : words.email[fault];
}

/**
 * The number of characters as the desk counts them: Unicode characters, after folding.
 * @param {string} typed
 * @returns {number}
 */
export function textLength(typed) {
  return Array.from(fold(typed)).length;
}

/**
 * @param {string} typed
 * @param {{ text_min: number, text_max: number }} limits
 * @returns {string | null}
 */
export function checkText(typed, limits) {
  const length = textLength(typed);
  if (length === 0) return words.text.missing;
  if (length < limits.text_min) return words.text.short(limits.text_min);
  if (length > limits.text_max) return words.text.long(limits.text_max, length - limits.text_max);
  return null;
}

/**
 * @param {string} typed
 * @returns {string | null}
 */
export function checkCaptchaAnswer(typed) {
  const answer = typedDigits(typed);
  if (answer === "") return words.captcha.missing;
  return /^\d{5}$/.test(answer) ? null : words.captcha.fiveDigits;
}

/**
 * @param {string} typed
 * @returns {string | null}
 */
export function checkMobileCode(typed) {
  const answer = typedDigits(typed);
  if (answer === "") return words.mobileCode.missing;
  return /^\d{5}$/.test(answer) ? null : words.mobileCode.fiveDigits;
}

/**
 * @param {string} typed
 * @returns {string | null}
 */
export function checkTrackingCode(typed) {
  if (typed.trim() === "") return words.trackingCode.missing;
  return readTrackingCode(typed) === null ? words.trackingCode.wrong : null;
}
