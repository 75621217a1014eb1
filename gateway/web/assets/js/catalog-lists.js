/** Lists of provinces, subjects and sub-subjects, and what depends on a choice: area code, time of the answer. */

import { fetchCatalog, preview } from "./api.js";
import { USUAL_FILE_LIMITS } from "./attachment-rules.js";
import { Combobox } from "./combobox.js";
import { block, fillSelect, input, select } from "./elements.js";
import { digits } from "./language.js";
import { readAreaCode } from "./phone.js";
import { sentenceOf, titleOf } from "./catalog-part.js";
import { showNotices } from "./notices.js";
import { learnTitles } from "./subject-titles.js";
import { named, words } from "./words.js";

/** @typedef {import("./api.js").Catalog} Catalog */
/** @typedef {import("./api.js").Limits} Limits */
/** @typedef {{ province: string, subject: string, sub_subject: string }} Choices */

/** Before the catalogue is loaded. @type {Limits} */
const USUAL_LIMITS = { text_min: 10, text_max: 4_000, ...USUAL_FILE_LIMITS };

/** In HTML: the selects `#province`, `#subject` and `#sub_subject`, `#sub_subject_hint` and `#landline_area_code`. */
export class CatalogLists {
  #province = select("province");

  #provinceSearch = new Combobox(this.#province);

  #subject = select("subject");

  #subSubject = select("sub_subject");

  #areaCode = input("landline_area_code");

  /** The area code that was filled in automatically, as it is shown. */
  #filledIn = "";

  /** @type {Catalog | null} */
  #catalog = null;

  /** Choices of the previous page, shown when the lists are loaded. @type {Choices | null} */
  #wanted = null;

  /** @type {(chosen: import("./api.js").SubSubject | null) => void} */
  onChosen = () => {};

  /**
   * @param {{ onProvince: () => void, onSubject: () => void }} listeners  onSubject: the sub-subjects have changed, and none is chosen
   * @param {import("./connection.js").Connection} connection
   */
  constructor({ onProvince, onSubject }, connection) {
    this.onSubject = onSubject;
    this.connection = connection;
    this.#province.addEventListener("change", () => {
      this.#showAreaCode();
      onProvince();
    });
    this.#subject.addEventListener("change", () => this.#showSubSubjects());
    this.#subSubject.addEventListener("change", () => this.#showAnswerTime());
  }

  /**
   * @returns {Promise<void>}
   * @throws {import("./problem.js").Problem | import("./problem.js").Unreachable}
   */
  async load() {
    try {
      this.#catalog = await this.connection.insist(fetchCatalog);
    } catch (error) {
      for (const list of [this.#province, this.#subject]) fillSelect(list, words.notLoaded, []);
      throw error;
    }
    learnTitles(this.#catalog);
    const { provinces, subjects } = this.#catalog;
    const { province, subject, sub_subject: subSubject } = this.#wanted ?? this.choices;
    fillSelect(this.#province, words.province.choose, provinces.map(({ key: value, name }) => ({ value, label: named("provinces", value, name) })));
    fillSelect(this.#subject, words.subject.choose, subjects.map((each) => ({ value: each.key, label: titleOf(each, "subjects") })));
    for (const { key, name, area_code: code } of provinces) {
      const option = this.#province.querySelector(`option[value="${key}"]`);
      if (option instanceof HTMLOptionElement) option.dataset.search = `${code} ${name}`;
    }
    choose(this.#province, province);
    choose(this.#subject, subject);
    this.#showAreaCode();
    this.#showSubSubjects();
    choose(this.#subSubject, subSubject);
    this.#showAnswerTime();
    this.#wanted = null;
    showNotices(this.#catalog, "send");
  }

  /** @returns {string | null} why no request can be sent now */
  get refusal() {
    if (preview !== null) return words.extra.preview;
    const [closure] = this.#catalog?.closures ?? [];
    return closure === undefined ? null : sentenceOf(closure);
  }

  /** @returns {Limits} */
  get limits() {
    return this.#catalog?.limits ?? USUAL_LIMITS;
  }

  /** @returns {string | null} the area code that is typed, in ASCII digits; null if no province has it */
  get areaCode() {
    return readAreaCode(this.#areaCode.value, this.#catalog?.provinces.map(({ area_code: code }) => code) ?? []);
  }

  /** @returns {Choices} keys; empty if nothing is chosen or loaded yet */
  get chosen() {
    return { province: this.#province.value, subject: this.#subject.value, sub_subject: this.#subSubject.value };
  }

  /** @returns {string | null} what is wrong with the province, or null */
  get provinceFault() {
    if (this.#province.value !== "") return null;
    return this.#provinceSearch.isUnmatched ? words.province.unmatched : words.province.missing;
  }

  /** Whether the field of the province was left with text that is no province. */
  get isProvinceUnmatched() {
    return this.#provinceSearch.isUnmatched;
  }

  /** @returns {Choices} the choices to store; before the lists are loaded, those that were stored before */
  get choices() {
    return this.#wanted ?? this.chosen;
  }

  /** @param {Choices} choices applied as soon as the lists are loaded */
  restore(choices) {
    this.#wanted = choices;
  }

  /** Update the page after the choices were cleared. */
  clear() {
    this.#wanted = null;
    this.#areaCode.value = "";
    this.#showAreaCode();
    this.#showSubSubjects();
  }

  /** Fill in the area code of the chosen province, unless the applicant has typed another one. */
  #showAreaCode() {
    const code = this.#catalog?.provinces.find(({ key }) => key === this.#province.value)?.area_code ?? "";
    if (this.#areaCode.value !== "" && this.#areaCode.value !== this.#filledIn) return;
    this.#filledIn = digits(code);
    this.#areaCode.value = this.#filledIn;
  }

  #subSubjects() {
    return this.#catalog?.subjects.find(({ key }) => key === this.#subject.value)?.sub_subjects ?? [];
  }

  #showSubSubjects() {
    const choices = this.#subSubjects().map((each) => ({ value: each.key, label: titleOf(each, "subjects") }));
    fillSelect(this.#subSubject, choices.length > 0 ? words.subSubject.choose : words.subSubject.subjectFirst, choices);
    this.onSubject();
    this.#showAnswerTime();
  }

  #showAnswerTime() {
    const chosen = this.#subSubjects().find(({ key }) => key === this.#subSubject.value);
    const time = chosen?.answer_within_days ? words.subSubject.answerWithin(chosen.answer_within_days) : "";
    this.onChosen(chosen ?? null);
    block("sub_subject_hint").textContent = chosen?.office ? `${time} ${words.subSubject.headquarters}` : time;
  }
}

/**
 * @param {HTMLSelectElement} list
 * @param {string} value a value that the list no longer has is not chosen
 */
function choose(list, value) {
  list.value = value;
  if (list.selectedIndex === -1) list.value = "";
}
