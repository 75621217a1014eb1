/** Notices of the catalogue, and its closure of the desk, at the top of a page. */

import { sentenceOf } from "./catalog-part.js";
import { block, make } from "./elements.js";

/**
 * In HTML: `#desk_notices`, which is empty. Closed, its one line has the first words of all texts; it opens to show them.
 * @param {import("./api.js").Catalog} catalog
 * @param {"home" | "send" | "track"} page
 */
export function showNotices({ notices = [], closures = [] }, page) {
  const closed = page === "track" ? [] : closures.map(sentenceOf);
  const shown = notices.filter(({ pages }) => pages.includes(page));
  const isWarning = ({ level = "info" }) => level === "warning";
  const warnings = closed.concat(shown.filter(isWarning).map(sentenceOf));
  const texts = warnings.concat(shown.filter((each) => !isWarning(each)).map(sentenceOf));
  if (texts.length === 0) return;
  const line = make("summary", {}, ...texts.map((text) => make("span", {}, text)));
  block("desk_notices").replaceChildren(make("details", { class: `notice desk-notice${warnings.length > 0 ? " notice-error" : ""}` }, line));
}
