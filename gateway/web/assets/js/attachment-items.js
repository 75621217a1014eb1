/** What the files of a list are together. */

import { words } from "./words.js";

/** @typedef {import("./attachment-item.js").Item} Item */

/**
 * @param {Item[]} items
 * @returns {Item[]} those that count towards the limit
 */
export function accepted(items) {
  return items.filter(({ state }) => state !== "refused");
}

/**
 * @param {Item[]} items
 * @returns {string[]} the ids of the uploaded files
 */
export function sentIds(items) {
  return items.flatMap((item) => (item.state === "sent" && item.sent !== null ? [item.sent.id] : []));
}

/**
 * @param {Item[]} items
 * @returns {string | null} what to correct before the files can be sent
 */
export function faultIn(items) {
  if (items.some(({ state }) => state === "failed" || state === "refused")) return words.attachments.notSent;
  return items.some(({ state }) => state === "lost") ? words.draft.filesLost : null;
}

/**
 * @param {Item[]} items
 * @returns {Item | undefined} the next file to upload
 */
export function nextToSend(items) {
  return items.find(({ state, sent }) => state === "waiting" && sent === null);
}

/**
 * @param {Item[]} items
 * @param {number} most
 * @returns {Item | undefined} the first file that was refused only because there were so many
 */
export function overLimit(items, most) {
  const tooMany = words.attachments.tooMany(most);
  return items.find(({ state, reason }) => state === "refused" && reason === tooMany);
}
