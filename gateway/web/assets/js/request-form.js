/** The fields of a request: their values, their errors, and the body that is sent. */

import { BirthDate } from "./birth-date.js";
import { Documents } from "./documents.js";
import { byId, input } from "./elements.js";
import { ExtraFields } from "./extra-fields.js";
import { Fields } from "./fields.js";
import { fold } from "./fold.js";
import { checkName } from "./name-rules.js";
import { Representative } from "./representative.js";
import { readForeignMobile, readLandline, readMobile } from "./phone.js";
import { checkCaptchaAnswer, checkEmail, checkIdentityNumber, checkLandline, checkMobile, checkText } from "./request-rules.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").RequestContent} RequestContent */
/** @typedef {import("./fields.js").Fault} Fault */

/** Fields stored as typed, like the optional ones. Lists, names and files store their own values; the security code is never stored. */
const TYPED = ["birth_day", "birth_month", "birth_year", "national_id", "mobile", "landline_area_code", "landline_number", "text"];

/**
 * In HTML: `#request_form` with a control for each of the fields. An input with `data-optional` is sent as it was typed if it is
 * filled in, under its id, and needs no line here; the desk checks it.
 */
export class RequestForm {
  root = byId("request_form", HTMLFormElement);

  fields = new Fields(this.root);

  extra = new ExtraFields(this.fields);

  documents = new Documents(this.fields);

  birthDate = new BirthDate();

  nationalId = input("national_id");

  representative = new Representative(this.fields);

  text = byId("text", HTMLTextAreaElement);

  #email = input("email");

  #mobile = input("mobile");

  #landline = input("landline_number");

  #abroad = input("abroad");

  /** @type {HTMLInputElement[]} */
  #optional = Array.from(this.root.querySelectorAll("input[data-optional]"));

  /** @param {import("./catalog-lists.js").CatalogLists} lists */
  constructor(lists) {
    this.lists = lists;
    lists.onChosen = (chosen) => {
      this.extra.show(chosen);
      this.documents.show(chosen);
    };
    this.fields.checkOnLeaving("applicant.first_name", input("first_name"), (typed) => checkName(typed, words.names.first));
    this.fields.checkOnLeaving("applicant.last_name", input("last_name"), (typed) => checkName(typed, words.names.last));
    this.fields.checkOnLeaving("mobile", this.#mobile, (typed) => checkMobile(typed, this.#abroad.checked));
    for (const control of this.#optional) {
      this.fields.checkOnLeaving(control.id, control, control === this.#email ? checkEmail : () => null);
    }
    this.#abroad.addEventListener("change", () => {
      this.#showAbroad();
      for (const field of ["mobile", "email"]) this.fields.clear(field);
    });
    for (const control of [this.#landline, input("landline_area_code")]) {
      this.fields.checkOnLeaving("landline", control, () => checkLandline(this.#landline.value, this.lists.areaCode));
    }
    for (const choice of [input("gender_female"), input("gender_male")]) {
      choice.addEventListener("change", () => this.fields.clear("applicant.gender"));
    }
    byId("province", HTMLElement).addEventListener("input", () => this.fields.clear("province"));
    for (const field of ["subject", "sub_subject", "text", "captcha.answer"]) {
      this.fields.controlOf(field).addEventListener("input", () => this.fields.clear(field));
    }
  }

  /**
   * @param {import("./identity.js").Identity} identity
   * @param {import("./attachments.js").Attachments} attachments
   * @param {import("./captcha.js").Captcha} captcha
   * @param {import("./mobile-code.js").MobileCode} mobileCode
   * @returns {Fault[]} everything to correct
   */
  faults(identity, attachments, captcha, mobileCode) {
    /** @type {Fault[]} */
    const found = [];
    /** @param {string} field @param {string | null} message */
    const note = (field, message) => {
      if (message !== null) found.push({ field, message });
    };
    const { chosen, areaCode, limits } = this.lists;
    const birth = this.birthDate.read();
    if (birth.message !== null) found.push({ field: "birth_date", message: birth.message, controls: birth.controls });
    note("national_id", checkIdentityNumber(this.nationalId.value));
    if (found.length === 0 && identity.state === "refused") note("birth_date", identity.message);
    const { typed } = identity;
    if (typed !== null) {
      note("applicant.first_name", checkName(typed.first_name, words.names.first));
      note("applicant.last_name", checkName(typed.last_name, words.names.last));
      note("applicant.gender", typed.gender === "" ? words.names.gender : null);
    }
    found.push(...this.representative.faults(this.nationalId.value));
    note("province", this.lists.provinceFault);
    note("email", checkEmail(this.#email.value) ?? (this.isForeign && this.#email.value.trim() === "" ? words.email.neededAbroad : null));
    const mobileFault = checkMobile(this.#mobile.value, this.#abroad.checked);
    note("mobile", mobileFault);
    const { fault } = mobileCode;
    if (fault !== null && (mobileFault === null || fault.field !== "mobile")) found.push(fault);
    note("landline", checkLandline(this.#landline.value, areaCode));
    note("subject", chosen.subject === "" ? words.subject.missing : null);
    note("sub_subject", chosen.sub_subject === "" ? words.subSubject.missing : null);
    found.push(...this.extra.faults);
    note("text", checkText(this.text.value, limits));
    note("attachments", attachments.fault);
    found.push(...this.documents.faults);
    note("captcha.answer", captcha.answer === null ? words.captcha.notLoaded : checkCaptchaAnswer(captcha.answer.answer));
    return found;
  }

  /**
   * @param {string[]} attachments ids
   * @returns {RequestContent}
   */
  content(attachments) {
    const { areaCode, chosen } = this.lists;
    const representative = this.representative.content;
    const number = areaCode === null ? null : readLandline(this.#landline.value, areaCode);
    return {
      ...chosen,
      ...Object.fromEntries(this.#optional.flatMap(({ id, value }) => (fold(value) === "" ? [] : [[id, value]]))),
      mobile: readMobile(this.#mobile.value) ?? readForeignMobile(this.#mobile.value) ?? "",
      ...(this.#abroad.checked && { abroad: true }),
      ...(number !== null && areaCode !== null && { landline: { area_code: areaCode, number } }),
      text: this.text.value,
      fields: this.extra.values,
      attachments,
      documents: this.documents.values,
      ...(representative !== null && { representative }),
    };
  }

  /** @returns {Record<string, string>} by the ids of the controls */
  get typed() {
    const typed = this.#stored.map(({ id, value }) => [id, value]);
    const kept = { ...this.extra.typed, ...this.lists.choices, ...this.representative.typed };
    return { ...Object.fromEntries(typed), ...kept, abroad: this.#abroad.checked ? "yes" : "" };
  }

  /** @param {Record<string, string>} typed */
  restore(typed) {
    for (const control of this.#stored) control.value = typed[control.id] ?? "";
    this.#abroad.checked = typed.abroad === "yes";
    this.extra.restore(typed);
    this.#showAbroad();
    this.representative.restore(typed);
    this.lists.restore({ province: typed.province ?? "", subject: typed.subject ?? "", sub_subject: typed.sub_subject ?? "" });
  }

  /** Clear everything that was typed. */
  clear() {
    this.root.reset();
    this.extra.clear();
    this.#showAbroad();
    this.representative.clear();
    this.lists.clear();
    this.fields.clearAll();
  }

  /** @returns {string | null} the Iranian mobile in the form for the desk; null without one */
  get mobile() {
    return readMobile(this.#mobile.value);
  }

  /** Whether the number is one that no text message reaches. */
  get isForeign() {
    return this.#abroad.checked && readForeignMobile(this.#mobile.value) !== null && this.mobile === null;
  }

  #showAbroad() {
    byId("abroad_hint", HTMLElement).hidden = !this.#abroad.checked;
  }

  get #stored() {
    const controls = TYPED.map((id) => /** @type {import("./fields.js").Control} */ (byId(id, HTMLElement)));
    return [...controls, ...this.#optional];
  }
}
