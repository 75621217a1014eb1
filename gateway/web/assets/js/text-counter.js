/** How much of the text field is used: always visible, and announced near the limit. */

import { block } from "./elements.js";
import { textLength } from "./request-rules.js";
import { words } from "./words.js";

const TIGHT = 200;
const SPEAK_AFTER_MS = 1_000;

/** In HTML: `#text_counter` (not announced) and `#text_counter_news` (a polite live region, not visible). */
export class TextCounter {
  #shown = block("text_counter");

  #spoken = block("text_counter_news");

  #timer = 0;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {number} most
   */
  constructor(field, most) {
    this.field = field;
    this.most = most;
    field.addEventListener("input", () => this.#update());
    this.#update();
  }

  /** @param {number} most */
  limitTo(most) {
    this.most = most;
    this.#update();
  }

  #update() {
    const length = textLength(this.field.value);
    const left = this.most - length;
    this.#shown.textContent = words.text.counter(length, this.most);
    this.#shown.dataset.state = left < 0 ? "over" : "within";
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#spoken.textContent = left < 0 ? words.text.over(-left) : left <= TIGHT ? words.text.left(left) : "";
    }, SPEAK_AFTER_MS);
  }
}
