/** Input of birth date and national ID: when both are complete, the registry is asked. */

import { readIdentityNumber } from "./identity-number.js";
import { checkIdentityNumber } from "./request-rules.js";

/** @typedef {import("./identity.js").Identity} Identity */
/** @typedef {import("./request-form.js").RequestForm} RequestForm */

/** Pause in typing after which a field counts as finished; longer while the day may get a second digit. */
const PAUSE_MS = 400;
const LONG_PAUSE_MS = 1_500;

export class IdentityEntry {
  #pause = 0;

  /**
   * @param {RequestForm} form
   * @param {Identity} identity
   */
  constructor(form, identity) {
    this.form = form;
    this.identity = identity;
    for (const control of [form.nationalId, ...form.birthDate.controls]) {
      control.addEventListener("input", () => this.#typed());
      control.addEventListener("change", ({ target }) => this.#left(target));
    }
  }

  /** @param {{ onlyForget?: boolean }} [options] onlyForget: drop an outdated result without a new look-up */
  consider({ onlyForget = false } = {}) {
    clearTimeout(this.#pause);
    const id = readIdentityNumber(this.form.nationalId.value).value;
    const date = this.form.birthDate.read().value;
    if (onlyForget && id !== null && date !== null) return;
    this.identity.consider(id, date);
  }

  /** The registry refuses the pair, so all of its fields are marked; the reason is shown at the names. */
  markRefused() {
    for (const field of ["birth_date", "national_id"]) this.form.fields.doubt(field, this.identity.state === "refused");
  }

  /** While typing, only complete values count: nine digits may become ten. */
  #typed() {
    const { fields, nationalId, birthDate } = this.form;
    clearTimeout(this.#pause);
    const complete = readIdentityNumber(nationalId.value).value;
    if (fields.isShown("national_id") && complete !== null) fields.clear("national_id");
    if (fields.isShown("birth_date") && birthDate.read().value !== null) fields.clear("birth_date");
    if (this.identity.state !== "idle") this.consider({ onlyForget: true });
    if (complete !== null && nationalId.value.trim().length < 10) return;
    this.#pause = window.setTimeout(() => this.consider(), birthDate.mayGoOn ? LONG_PAUSE_MS : PAUSE_MS);
  }

  /** @param {EventTarget | null} control */
  #left(control) {
    const { fields, nationalId, birthDate } = this.form;
    const { value } = readIdentityNumber(nationalId.value);
    if (value !== null) padWithZeros(nationalId, value);
    if (control === nationalId) {
      const message = checkIdentityNumber(nationalId.value);
      if (message === null || nationalId.value.trim() === "") fields.clear("national_id");
      else fields.show({ field: "national_id", message });
    } else if (birthDate.isFilled) {
      const { message, ...rest } = birthDate.read();
      if (message === null) fields.clear("birth_date");
      else fields.show({ field: "birth_date", message, ...("controls" in rest && { controls: rest.controls }) });
    }
    this.consider();
    this.markRefused();
  }
}

/**
 * Show the missing leading zeros, in the digits that were typed.
 * @param {HTMLInputElement} control
 * @param {string} value ten ASCII digits
 */
function padWithZeros(control, value) {
  const typed = control.value.trim();
  if (typed.length >= value.length) return;
  const zero = /[۰-۹]/.test(typed) ? "۰" : "0";
  control.value = zero.repeat(value.length - typed.length) + typed;
}
