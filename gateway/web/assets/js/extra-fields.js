/** The further fields of the chosen sub-subject, made from the catalogue, and its guidance. */

import { sentenceOf, titleOf } from "./catalog-part.js";
import { block, fillSelect, make } from "./elements.js";
import { checkExtraField } from "./extra-field-rules.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").ExtraField} ExtraField */
/** @typedef {import("./api.js").SubSubject} SubSubject */
/** @typedef {import("./fields.js").Fault} Fault */
/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

const PREFIX = "extra_field_";

/** In HTML: `#extra_fields`, which is empty, and `#sub_subject_guidance`. */
export class ExtraFields {
  #root = block("extra_fields");

  #guidance = block("sub_subject_guidance");

  /** @type {Map<ExtraField, Control>} */
  #controls = new Map();

  /** Typed values by key, also of fields that are not shown now. @type {Record<string, string>} */
  #typed = Object.create(null);

  /** @type {string | null} */
  #closure = null;

  /** @param {import("./fields.js").Fields} fields */
  constructor(fields) {
    this.fields = fields;
    this.#root.addEventListener("input", () => this.#read());
    this.#root.addEventListener("change", () => this.#read());
  }

  /** @param {SubSubject | null} subSubject that is chosen */
  show(subSubject) {
    const text = subSubject === null ? "" : sentenceOf({ text: subSubject.guidance ?? "", text_en: subSubject.guidance_en ?? "" });
    const [closure] = subSubject?.closures ?? [];
    this.#closure = closure === undefined ? null : sentenceOf(closure);
    this.#guidance.textContent = this.#closure ?? text;
    this.#guidance.hidden = this.#guidance.textContent === "";
    const wanted = subSubject?.fields ?? [];
    const shown = [...this.#controls.keys()];
    if (wanted.length === shown.length && wanted.every((field, place) => field === shown[place])) return;
    this.#controls.clear();
    this.#root.replaceChildren(...wanted.map((field) => this.#build(field)));
  }

  /** @returns {Record<string, string>} values by key, without the empty ones */
  get values() {
    const typed = [...this.#controls].map(([{ key }, { value }]) => [key, value]);
    return Object.fromEntries(typed.filter(([, value]) => value?.trim() !== ""));
  }

  /** @returns {Record<string, string>} what was typed, for the draft */
  get typed() {
    return Object.fromEntries(Object.entries(this.#typed).map(([key, value]) => [PREFIX + key, value]));
  }

  /** @param {Record<string, string>} kept of a draft */
  restore(kept) {
    const own = Object.entries(kept).filter(([key]) => key.startsWith(PREFIX));
    this.#typed = Object.assign(Object.create(null), Object.fromEntries(own.map(([key, value]) => [key.slice(PREFIX.length), value])));
    for (const [{ key }, control] of this.#controls) control.value = this.#typed[key] ?? "";
  }

  /** Forget everything that was typed. */
  clear() {
    this.restore({});
  }

  /** @returns {Fault[]} */
  get faults() {
    const closed = this.#closure === null ? [] : [{ field: "sub_subject", message: this.#closure }];
    return closed.concat([...this.#controls].flatMap(([field, { value }]) => {
      const message = checkExtraField(field, value);
      return message === null ? [] : [{ field: `fields.${field.key}`, message }];
    }));
  }

  #read() {
    for (const [field, control] of this.#controls) {
      this.#typed[field.key] = control.value;
      const name = `fields.${field.key}`;
      if (this.fields.isShown(name) && checkExtraField(field, control.value) === null) this.fields.clear(name);
    }
  }

  /** @param {ExtraField} field */
  #build(field) {
    const id = PREFIX + field.key;
    const control = field.kind === "choice" ? choices(field, id) : box(field, id);
    control.value = this.#typed[field.key] ?? "";
    control.required = field.required ?? true;
    this.#controls.set(field, control);
    const optional = control.required ? [] : [" ", make("span", { class: "optional" }, words.extra.optional)];
    return make(
      "div",
      { class: "field", "data-field": `fields.${field.key}` },
      make("label", { for: id }, titleOf(field), ...optional),
      make("p", { class: "error", id: `${id}_error`, hidden: "" }),
      control,
    );
  }
}

/** @param {ExtraField} field @param {string} id */
function choices(field, id) {
  const list = make("select", { id, autocomplete: "off", "aria-describedby": `${id}_error` });
  fillSelect(list, words.extra.choose, (field.choices ?? []).map((each) => ({ value: each.key, label: titleOf(each) })));
  return list;
}

/** @param {ExtraField} field @param {string} id */
function box({ kind }, id) {
  const attributes = { id, autocomplete: "off", "aria-describedby": `${id}_error` };
  if (kind === "text") return make("input", { ...attributes, maxlength: "200" });
  return make("input", { ...attributes, class: "code", dir: "ltr", spellcheck: "false", inputmode: kind === "iban" ? "text" : "numeric" });
}
