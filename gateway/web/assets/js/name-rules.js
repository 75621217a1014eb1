/** Rules for a name that the applicant types while the civil registry is unavailable. The desk checks again. */

import { words } from "./words.js";

export const NAME_MOST = 60;

/**
 * Letters of any script, and what joins them: people of many nations go on pilgrimage.
 * @param {string} typed
 * @param {string} missing the message if nothing was typed
 * @returns {string | null} what to correct
 */
export function checkName(typed, missing) {
  const name = typed.replace(/[\s\u200c]+/gu, " ").trim();
  if (name === "") return missing;
  if (Array.from(typed.trim()).length > NAME_MOST) return words.names.long(NAME_MOST);
  return /^[\p{L}\p{M} \u200c-]+$/u.test(name) && /\p{L}/u.test(name) ? null : words.names.letters;
}
