/** The notice above a form: what to correct, with a link to each field, or what failed, with a button to retry. */

import { button, block, make } from "./elements.js";
import { words } from "./words.js";

/** @typedef {import("./fields.js").Fields} Fields */
/** @typedef {import("./fields.js").Fault} Fault */

/** In HTML: `#error_summary` (role alert), with `#error_summary_title`, `#error_summary_list` and `#error_summary_retry`. */
export class ErrorSummary {
  #root = block("error_summary");

  #title = block("error_summary_title");

  #list = block("error_summary_list");

  #retry = button("error_summary_retry");

  #pageTitle = document.title;

  /** @type {(() => void) | null} */
  #again = null;

  /** @param {Fields} fields */
  constructor(fields) {
    this.fields = fields;
    this.#retry.addEventListener("click", () => this.#again?.());
  }

  /**
   * Show every fault at its field and list them all here.
   * @param {Fault[]} faults
   * @param {string[]} [others] messages without a field
   */
  list(faults, others = []) {
    this.fields.clearAll();
    const ordered = this.fields.inPageOrder(faults);
    for (const fault of ordered) this.fields.show(fault);
    this.#show(words.summary.fields, [...others.map((message) => make("li", {}, message)), ...ordered.map((fault) => this.#link(fault))], null);
  }

  /**
   * @param {string} title
   * @param {string} message
   * @param {(() => void) | null} again the action of «تلاش دوباره», if it can help
   */
  fail(title, message, again) {
    this.#show(title, [make("li", {}, message)], again);
  }

  hide() {
    this.#root.hidden = true;
    this.#list.replaceChildren();
    document.title = this.#pageTitle;
  }

  /**
   * @param {string} title
   * @param {HTMLLIElement[]} items
   * @param {(() => void) | null} again
   */
  #show(title, items, again) {
    this.#again = again;
    this.#retry.hidden = again === null;
    this.#root.hidden = false;
    this.#title.textContent = title;
    this.#list.replaceChildren(...items);
    document.title = words.titleWithError + this.#pageTitle;
    this.#root.scrollIntoView({ block: "start" });
    this.#root.focus({ preventScroll: true });
  }

  /**
   * @param {Fault} fault
   * @returns {HTMLLIElement}
   */
  #link({ field, message }) {
    const link = make("a", { href: `#${this.fields.controlOf(field).id}` }, message);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.fields.focus(field);
    });
    return make("li", {}, link);
  }
}
