/** The fields of a form. Each shows its own error next to its controls, linked to them for screen readers. */

import { make } from "./elements.js";
import { words } from "./words.js";

/** @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control */
/** @typedef {{ field: string, message: string, controls?: Control[] }} Fault  controls: which of several to correct */

/**
 * In HTML: an element with `data-field` (the name in the API), optionally `data-also` (further names, separated by spaces),
 * its controls, and an empty `.error` that the controls name in `aria-describedby`.
 */
export class Fields {
  /** @param {HTMLElement} form */
  constructor(form) {
    this.form = form;
  }

  /**
   * @param {string} name
   * @returns {string | null} the field of this page that shows errors of that name
   */
  named(name) {
    const box = this.#boxes().find((candidate) => namesOf(candidate).includes(name));
    return box?.dataset.field ?? null;
  }

  /** @param {Fault} fault */
  show({ field, message, controls }) {
    const box = this.#box(field);
    box.toggleAttribute("data-invalid", true);
    const error = errorOf(box);
    error.replaceChildren(make("span", { class: "visually-hidden" }, words.errorPrefix), message);
    error.hidden = false;
    for (const control of controlsOf(box)) {
      if (controls === undefined || controls.includes(control)) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }

  /** @param {string} field */
  clear(field) {
    const box = this.#box(field);
    box.removeAttribute("data-invalid");
    const error = errorOf(box);
    error.hidden = true;
    error.replaceChildren();
    for (const control of controlsOf(box)) control.removeAttribute("aria-invalid");
  }

  /**
   * Mark a field as doubtful without its own message.
   * @param {string} field
   * @param {boolean} doubtful
   */
  doubt(field, doubtful) {
    if (this.isShown(field)) return;
    for (const control of controlsOf(this.#box(field))) {
      if (doubtful) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    }
  }

  clearAll() {
    for (const box of this.#boxes()) this.clear(box.dataset.field ?? "");
  }

  /**
   * @param {string} field
   * @returns {boolean}
   */
  isShown(field) {
    return this.#box(field).hasAttribute("data-invalid");
  }

  /**
   * @param {string} field
   * @returns {Control} the control to correct: the first invalid one, otherwise the first
   */
  controlOf(field) {
    const controls = controlsOf(this.#box(field));
    const control = controls.find((candidate) => candidate.getAttribute("aria-invalid") === "true") ?? controls[0];
    if (control === undefined) throw new Error(`field ${field} has no control`);
    return control;
  }

  /**
   * Show an error when the field is left, and remove it as soon as it is corrected.
   * @param {string} field
   * @param {HTMLInputElement} control
   * @param {(typed: string) => string | null} check
   */
  checkOnLeaving(field, control, check) {
    control.addEventListener("change", () => {
      const message = check(control.value);
      if (message === null || control.value.trim() === "") this.clear(field);
      else this.show({ field, message });
    });
    control.addEventListener("input", () => {
      if (this.isShown(field) && check(control.value) === null) this.clear(field);
    });
  }

  /** @param {string} field */
  focus(field) {
    this.#box(field).scrollIntoView({ block: "center" });
    this.controlOf(field).focus({ preventScroll: true });
  }

  /**
   * @param {Fault[]} faults
   * @returns {Fault[]} in the order of the page
   */
  inPageOrder(faults) {
    const order = this.#boxes().map((box) => box.dataset.field);
    return [...faults].sort((one, other) => order.indexOf(one.field) - order.indexOf(other.field));
  }

  /** @returns {HTMLElement[]} */
  #boxes() {
    return Array.from(this.form.querySelectorAll("[data-field]"));
  }

  /**
   * @param {string} field
   * @returns {HTMLElement}
   */
  #box(field) {
    const box = this.#boxes().find((candidate) => candidate.dataset.field === field);
    if (box === undefined) throw new Error(`this page has no field ${field}`);
    return box;
  }
}

/**
 * Let a press on this button leave the focus where it is. An error that appears when a field loses focus would move the
 * button from under the pointer, and the click would be lost.
 * @param {HTMLButtonElement} button
 */
export function holdStill(button) {
  button.addEventListener("mousedown", (event) => event.preventDefault());
}

/**
 * @param {HTMLElement} box
 * @returns {string[]}
 */
function namesOf(box) {
  return [box.dataset.field ?? "", ...(box.dataset.also ?? "").split(" ")];
}

/**
 * @param {HTMLElement} box
 * @returns {HTMLElement}
 */
function errorOf(box) {
  const error = box.querySelector(".error");
  if (!(error instanceof HTMLElement)) throw new Error(`field ${box.dataset.field} has no place for its error`);
  return error;
}

/**
 * @param {HTMLElement} box
 * @returns {Control[]}
 */
function controlsOf(box) {
  return Array.from(box.querySelectorAll("input:not([readonly]), select, textarea"));
}
