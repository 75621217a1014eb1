/** The page «آمار میز خدمت»: the figures that the organization publishes, as tables with a chart each. */

import "./started.js";
import { fetchFigures } from "./api.js";
import { block, button, byId, make } from "./elements.js";
import { inWords } from "./failure.js";
import { decimal, number } from "./language.js";
import { Problem } from "./problem.js";
import { dayAndTimeOf, localOf } from "./tehran.js";
import { named, words } from "./words.js";

/** @typedef {import("./api.js").PublicCounts} PublicCounts */
/** @typedef {import("./api.js").Shown} Shown */
/** @typedef {{ label: string, counts: PublicCounts }} Row */

const SVG = "http://www.w3.org/2000/svg";
const [LINE, WIDTH, LABEL] = [28, 600, 170];
/** The longest bar, and the space for its number. */
const BAR = WIDTH - LABEL - 80;

button("figures_retry").addEventListener("click", () => void show());
void show();

async function show() {
  const status = block("figures_status");
  block("figures_retry").hidden = true;
  status.textContent = words.figures.busy;
  try {
    const found = await fetchFigures();
    status.textContent = found.months.length === 0 ? words.figures.empty : "";
    fill("months", found.months.map((counts) => ({ label: monthOf(counts.month), counts })));
    fill("offices", found.offices.map((counts) => ({ label: named("offices", counts.office, named("provinces", counts.office, counts.name)), counts })));
    block("offices_part").hidden = found.offices.length === 0;
    block("figures_at").textContent = words.figures.at(monthOf(found.from), monthOf(found.until), dayAndTimeOf(localOf(new Date(found.at))));
    block("figures_shown").hidden = found.months.length === 0;
  } catch (error) {
    const off = error instanceof Problem && error.status === 404;
    status.textContent = off ? words.figures.off : inWords(error);
    block("figures_retry").hidden = off;
  }
}

/** @param {string} month such as 1405-09 */
function monthOf(month) {
  const [year = "", of = ""] = month.split("-");
  return words.figures.month(Number(of), year);
}

/**
 * @param {"months" | "offices"} id
 * @param {Row[]} rows
 */
function fill(id, rows) {
  const body = byId(id, HTMLTableElement).tBodies[0];
  if (body === undefined) throw new Error("a table without a body");
  body.replaceChildren(...rows.map(rowOf));
  const frame = block(`${id}_chart`);
  frame.replaceChildren(chart(rows, id === "months" ? words.figures.monthsChart : words.figures.officesChart));
  frame.hidden = rows.length === 0;
}

/** @param {Row} row */
function rowOf({ label, counts }) {
  const cells = [
    shown(counts.requests, counts.incomplete.includes("requests")),
    shown(counts.answered, counts.incomplete.includes("answered")),
    shown(counts.open, counts.incomplete.includes("open")),
    counts.median_days === null ? "—" : number(counts.median_days),
    counts.p90_days === null ? "—" : number(counts.p90_days),
    counts.rating_mean === null ? "—" : decimal(counts.rating_mean),
  ];
  return make("tr", {}, make("th", { scope: "row" }, label), ...cells.map((text) => make("td", {}, text)));
}

/**
 * @param {Shown} count
 * @param {boolean} incomplete
 * @returns {string}
 */
function shown(count, incomplete) {
  if (count === "<5") return words.figures.few;
  if (count === "suppressed") return words.figures.hidden;
  return incomplete ? words.figures.atLeast(count) : number(count);
}

/**
 * Bars of the numbers of requests. The table has the same numbers, so a screen reader needs only the title.
 * @param {Row[]} rows
 * @param {string} title
 * @returns {SVGElement}
 */
function chart(rows, title) {
  const values = rows.map(({ counts }) => (typeof counts.requests === "number" ? counts.requests : 0));
  const greatest = Math.max(1, ...values);
  const right = document.documentElement.dir === "rtl";
  const bars = rows.flatMap(({ label }, place) => {
    const value = values[place] ?? 0;
    const length = Math.round((value / greatest) * BAR);
    const [y, start] = [place * LINE, right ? WIDTH - LABEL : LABEL];
    const end = right ? start - length : start + length;
    return [
      draw("text", { x: right ? WIDTH : 0, y: y + 19 }, label),
      draw("rect", { x: Math.min(start, end), y: y + 5, width: length, height: LINE - 10 }),
      draw("text", { x: right ? end - 8 : end + 8, y: y + 19, class: "value" }, value === 0 ? "" : number(value)),
    ];
  });
  const attributes = { class: "bars", viewBox: `0 0 ${WIDTH} ${rows.length * LINE}`, role: "img", direction: right ? "rtl" : "ltr" };
  return draw("svg", attributes, draw("title", {}, title), ...bars);
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 * @returns {SVGElement}
 */
function draw(tag, attributes, ...children) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, tag));
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}
