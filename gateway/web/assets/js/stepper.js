/** Progress in a long form: a list of its parts, each marked as complete by the rules of the form. */

import { make } from "./elements.js";
import { words } from "./words.js";

/** In HTML: an `<ol>` of items, each with a link to the heading of its part. */
export class Stepper {
  /** @type {{ item: HTMLLIElement, part: Element, note: HTMLElement }[]} */
  #steps;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#steps = Array.from(list.querySelectorAll("li"), (item) => {
      const target = item.querySelector("a")?.hash.slice(1) ?? "";
      const part = document.getElementById(target)?.closest("section");
      if (!part) throw new Error(`the step to #${target} leads to no part of the form`);
      const note = make("span", { class: "visually-hidden" });
      item.querySelector("a")?.append(note);
      return { item, part, note };
    });
  }

  /**
   * The first incomplete part is marked as current.
   * @param {(part: Element) => boolean} isComplete
   */
  show(isComplete) {
    const done = this.#steps.map(({ part }) => isComplete(part));
    const current = done.indexOf(false);
    this.#steps.forEach(({ item, note }, place) => {
      item.dataset.state = done[place] ? "done" : "open";
      note.textContent = done[place] ? ` (${words.stepper.done})` : "";
      if (place === current) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }
}
