/** Which files may go up. The desk looks at their content again; this spares people a long upload for nothing. */

import { decimal, digits } from "./language.js";
import { words } from "./words.js";

/** @typedef {{ files_max: number, file_bytes_max: number, extensions: string[] }} FileLimits */

/** The limits for whoever has not asked for the catalogue, or not yet. @type {FileLimits} */
export const USUAL_FILE_LIMITS = {
  files_max: 5,
  file_bytes_max: 7 * 1024 * 1024,
  extensions: [".pdf", ".jpg", ".jpeg", ".png", ".heic", ".docx"],
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
  if (!limits.extensions.includes(extensionOf(file.name))) return say.forbidden(kindsInWords(limits.extensions));
  if (file.size === 0) return say.empty;
  if (file.size > limits.file_bytes_max) return say.tooLarge(sizeInWords(limits.file_bytes_max));
  return null;
}

/**
 * @param {string} name
 * @returns {string} such as ".pdf", or "" if the name has none
 */
export function extensionOf(name) {
  const dot = name.lastIndexOf(".");
  return dot === -1 ? "" : name.slice(dot).toLowerCase();
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

/** Other endings of kinds that people know by a shorter or more common one. */
const SAME_KIND = [".jpeg", ".heif"];

/** Keeps a list of Latin names in the order of a Persian sentence: the commas between them would go left to right. */
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
