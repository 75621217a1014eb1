/** Texts of the catalogue in the language of the page. */

import { language } from "./language.js";
import { named } from "./words.js";

/**
 * @param {{ key: string, title: string, title_en?: string }} part of the catalogue
 * @param {"subjects" | null} [kind] where the page has an English title of its own
 * @returns {string}
 */
export function titleOf({ key, title, title_en: english }, kind = null) {
  if (language === "en" && english) return english;
  return kind === null ? title : named(kind, key, title);
}

/**
 * @param {{ text: string, text_en?: string }} part
 * @returns {string}
 */
export function sentenceOf({ text, text_en: english }) {
  return language === "en" && english ? english : text;
}
