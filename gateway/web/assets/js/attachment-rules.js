/** Which files may be uploaded. The desk decides by content; the page can check size and number in advance. */

import { decimal, digits } from "./language.js";
import { words } from "./words.js";

/** @typedef {{ files_max: number, file_bytes_max: number, media_types: string[], extensions: string[] }} FileLimits */

/** Before the catalogue is loaded only the number is checked; the desk checks the size again. @type {FileLimits} */
export const USUAL_FILE_LIMITS = {
  files_max: 5,
  file_bytes_max: Infinity,
  media_types: [],
  extensions: [],
};

/**
 * @param {{ name: string, size: number }} file
 * @param {FileLimits} limits
 * @param {number} before how many files are already in the list
 * @returns {string | null} what is wrong with it, or null
 */
export function checkFile(file, limits, before) {
  const say = words.attachments;
  if (before >= limits.files_max) return say.tooMany(limits.files_max);
  if (file.size === 0) return say.empty;
  if (file.size > limits.file_bytes_max) return say.tooLarge(sizeInWords(limits.file_bytes_max));
  return null;
}

/**
 * @param {number} bytes
 * @returns {string} such as «۲٫۴ مگابایت»
 */
export function sizeInWords(bytes) {
  if (bytes < 1024) return `${digits(bytes)} ${words.units.bytes}`;
  const [amount, unit] = bytes < 1024 * 1024
    ? [bytes / 1024, words.units.kilobytes]
    : [bytes / 1024 / 1024, words.units.megabytes];
  const rounded = amount < 10 ? Math.round(amount * 10) / 10 : Math.round(amount);
  return `${decimal(rounded)} ${unit}`;
}

/** Additional extensions of kinds that people know by a shorter or more common one. */
const SAME_KIND = [".jpeg", ".heif"];

/** Keeps the order of a list of Latin names in a Persian sentence: the commas between them would go left to right. */
const RIGHT_TO_LEFT_MARK = "\u200f";

/**
 * @param {string[]} extensions
 * @returns {string} such as «PDF، JPG یا PNG»
 */
export function kindsInWords(extensions) {
  const kinds = extensions
    .filter((extension) => !SAME_KIND.includes(extension))
    .map((extension) => extension.slice(1).toUpperCase() + RIGHT_TO_LEFT_MARK);
  return words.oneOf(kinds);
}
