/** Notices of the catalogue, and its closure of the desk, at the top of a page. */

import { sentenceOf } from "./catalog-part.js";
import { block, make } from "./elements.js";

/**
 * In HTML: `#desk_notices`, which is empty.
 * @param {import("./api.js").Catalog} catalog
 * @param {"home" | "send" | "track"} page
 */
export function showNotices({ notices = [], closures = [] }, page) {
  const shown = notices.filter(({ pages }) => pages.includes(page)).map((each) => ({ level: each.level ?? "info", text: sentenceOf(each) }));
  const closed = page === "track" ? [] : closures.map((each) => ({ level: "warning", text: sentenceOf(each) }));
  block("desk_notices").replaceChildren(
    ...closed.concat(shown).map(({ level, text }) => make("p", { class: level === "warning" ? "notice notice-error" : "notice" }, text)),
  );
}
