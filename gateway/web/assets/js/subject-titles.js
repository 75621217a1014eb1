/** Titles of subjects, in the language of the page. */

import { fetchCatalog } from "./api.js";
import { language } from "./language.js";
import { named, words } from "./words.js";

/** @typedef {{ key: string, title: string }} Titled */

/** English titles of the catalogue by key: it may have subjects that are newer than the words of the page. @type {Map<string, string>} */
const english = new Map();

/** @param {import("./api.js").Catalog} catalog */
export function learnTitles({ subjects }) {
  for (const each of subjects.flatMap((subject) => [subject, ...subject.sub_subjects])) {
    if (each.title_en) english.set(each.key, each.title_en);
  }
}

/**
 * @param {Titled} subject
 * @returns {string}
 */
export function subjectTitle({ key, title }) {
  return (language === "en" ? english.get(key) : undefined) ?? named("subjects", key, title);
}

/**
 * Show subjects; those without a title in the language of the page are shown again when the catalogue has been loaded.
 * If it cannot be loaded, their Persian titles stay.
 * @param {Titled[]} subjects
 * @param {() => void} show
 */
export function showTitles(subjects, show) {
  show();
  if (language !== "en" || subjects.every(({ key }) => key in words.desk.subjects || english.has(key))) return;
  fetchCatalog().then((catalog) => {
    learnTitles(catalog);
    show();
  }, () => {});
}
