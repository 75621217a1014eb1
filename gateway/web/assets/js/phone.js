/** Iranian telephone numbers, read as in `desk.iran.phone`. Operators' prefixes are not checked: numbers are ported. */

import { cleanNumber } from "./digits.js";

/**
 * @param {string} text with or without 0, 98, +98 or 0098 in front
 * @returns {string | null} 09 and nine digits, or null
 */
export function readMobile(text) {
  const match = /^0?(9\d{9})$/.exec(dialled(text));
  return match === null ? null : `0${match[1]}`;
}

/**
 * @param {string} text with + or 00 and the country's code
 * @returns {string | null} the number in E.164, or null
 */
export function readForeignMobile(text) {
  const number = cleanNumber(text.replaceAll(".", " ")).replace(/^00/, "+");
  return /^\+[1-9]\d{6,14}$/.test(number) && !number.startsWith("+98") ? number : null;
}

/**
 * @param {string} text with or without the country's code and the area code in front
 * @param {string} areaCode such as 021, as `readAreaCode` returns it
 * @returns {string | null} the four to eight digits of the subscriber, or null
 */
export function readLandline(text, areaCode) {
  const number = dialled(text);
  const own = areaCode !== "" && number.startsWith(areaCode) ? number.slice(areaCode.length) : number;
  return /^[2-9]\d{3,7}$/.test(own) ? own : null;
}

/**
 * @param {string} text such as 021, 21 or +9821
 * @param {readonly string[]} areaCodes those of the provinces
 * @returns {string | null} the code with 0 in front, or null
 */
export function readAreaCode(text, areaCodes) {
  const code = `0${dialled(text).replace(/^0/, "")}`;
  return areaCodes.includes(code) ? code : null;
}

/**
 * @param {string} text
 * @returns {string} its digits, with 0 in place of the country's code
 */
function dialled(text) {
  return cleanNumber(text.replaceAll(".", " ")).replace(/^(\+98|0098|98(?=\d{10}))0?/, "0");
}
