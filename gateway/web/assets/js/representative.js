/** The person who sends a request for the applicant: shown once the box «برای شخص دیگری می‌فرستم» is ticked. */

import { block, input } from "./elements.js";
import { checkName } from "./name-rules.js";
import { readIdentityNumber } from "./identity-number.js";
import { readMobile } from "./phone.js";
import { checkIdentityNumber, checkMobile } from "./request-rules.js";
import { words } from "./words.js";

/** @typedef {import("./fields.js").Fault} Fault */
/** @typedef {{ name: string, national_id: string, mobile: string }} RepresentativeContent */

const FIELDS = ["representative.name", "representative.national_id", "representative.mobile"];

/** In HTML: the checkbox `#for_another` in `#for_another_part`, and `#representative` with a control for each field. */
export class Representative {
  #box = input("for_another");

  #part = block("representative");

  #name = input("representative_name");

  #nationalId = input("representative_national_id");

  #mobile = input("representative_mobile");

  #fields;

  /** @param {import("./fields.js").Fields} fields */
  constructor(fields) {
    this.#fields = fields;
    this.#box.addEventListener("change", () => this.update());
    fields.checkOnLeaving("representative.name", this.#name, checkRepresentativeName);
    fields.checkOnLeaving("representative.national_id", this.#nationalId, checkIdentityNumber);
    fields.checkOnLeaving("representative.mobile", this.#mobile, checkMobile);
    this.update();
  }

  /**
   * @param {string} applicant the applicant's number as typed
   * @returns {Fault[]} what to correct; nothing if the applicant sends the request
   */
  faults(applicant) {
    if (!this.#box.checked) return [];
    const checks = [
      { field: "representative.name", message: checkRepresentativeName(this.#name.value) },
      { field: "representative.national_id", message: checkOtherNumber(this.#nationalId.value, applicant) },
      { field: "representative.mobile", message: checkMobile(this.#mobile.value) },
    ];
    return checks.flatMap(({ field, message }) => (message === null ? [] : [{ field, message }]));
  }

  /** @returns {RepresentativeContent | null} null if the applicant sends the request */
  get content() {
    if (!this.#box.checked) return null;
    const { value } = readIdentityNumber(this.#nationalId.value);
    return { name: this.#name.value, national_id: value ?? "", mobile: readMobile(this.#mobile.value) ?? "" };
  }

  /** @returns {Record<string, string>} by the ids of the controls */
  get typed() {
    return { ...Object.fromEntries(this.#controls.map(({ id, value }) => [id, value])), for_another: this.#box.checked ? "yes" : "" };
  }

  /** @param {Record<string, string>} typed */
  restore(typed) {
    for (const control of this.#controls) control.value = typed[control.id] ?? "";
    this.#box.checked = typed.for_another === "yes";
    this.update();
  }

  clear() {
    this.restore({});
  }

  /** The fields are part of the page only while the box is ticked, so that no second «کد ملی» is in the way. */
  update() {
    if (this.#box.checked) {
      this.#part.hidden = false;
      block("for_another_part").after(this.#part);
    } else if (this.#part.isConnected) {
      for (const field of FIELDS) this.#fields.clear(field);
      this.#part.remove();
    }
  }

  get #controls() {
    return [this.#name, this.#nationalId, this.#mobile];
  }
}

/**
 * @param {string} typed
 * @returns {string | null} what to correct
 */
export function checkRepresentativeName(typed) {
  return checkName(typed, words.representative.name);
}

/**
 * @param {string} typed
 * @param {string} applicant
 * @returns {string | null} what to correct: the representative is another person than the applicant
 */
export function checkOtherNumber(typed, applicant) {
  const fault = checkIdentityNumber(typed);
  if (fault !== null) return fault;
  const isSame = readIdentityNumber(typed).value === readIdentityNumber(applicant).value;
  return isSame ? words.representative.same : null;
}
