/** The documents of the chosen sub-subject: which attached file is which document. */

import { titleOf } from "./catalog-part.js";
import { block, fillSelect, make } from "./elements.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Document} Document */
/** @typedef {import("./fields.js").Fault} Fault */

/** In HTML: `#documents`, which is empty. */
export class Documents {
  #root = block("documents");

  /** @type {Map<Document, HTMLSelectElement>} */
  #lists = new Map();

  /** @type {{ id: string, name: string }[]} */
  #files = [];

  /** @param {import("./fields.js").Fields} fields */
  constructor(fields) {
    this.fields = fields;
    this.#root.addEventListener("change", () => this.#clearCorrected());
  }

  /** @param {import("./api.js").SubSubject | null} subSubject that is chosen */
  show(subSubject) {
    const wanted = subSubject?.documents ?? [];
    const shown = [...this.#lists.keys()];
    if (wanted.length === shown.length && wanted.every((each, place) => each === shown[place])) return;
    this.#lists.clear();
    this.#root.replaceChildren(...wanted.map((each) => this.#build(each)));
    this.#offer(this.#files);
  }

  /**
   * Offer the attached files. A file that no document has goes to the first document without a file.
   * @param {import("./attachment-item.js").KeptFile[]} kept
   */
  offer(kept) {
    this.#offer(kept.flatMap(({ name, sent }) => (sent === null ? [] : [{ id: sent.id, name }])));
  }

  /** @param {{ id: string, name: string }[]} files */
  #offer(files) {
    const added = files.filter(({ id }) => !this.#files.some((known) => known.id === id));
    this.#files = files;
    for (const list of this.#lists.values()) {
      const { value } = list;
      fillSelect(list, words.extra.chooseFile, files.map(({ id, name }) => ({ value: id, label: name })));
      list.value = files.some(({ id }) => id === value) ? value : "";
    }
    const free = [...this.#lists.values()].filter(({ value }) => value === "");
    const unused = (this.#lists.size > 0 ? files : added).filter(({ id }) => !this.#chosen().includes(id));
    for (const [place, { id }] of unused.entries()) {
      const list = free[place];
      if (list !== undefined) list.value = id;
    }
    this.#clearCorrected();
  }

  /** @returns {Record<string, string>} ids of files by the keys of documents */
  get values() {
    return Object.fromEntries([...this.#lists].flatMap(([{ key }, { value }]) => (value === "" ? [] : [[key, value]])));
  }

  /** @returns {Fault[]} */
  get faults() {
    const chosen = this.#chosen();
    return [...this.#lists].flatMap(([{ key, required = true }, { value }]) =>
      (value === "" ? required : chosen.filter((each) => each === value).length > 1)
        ? [{ field: `documents.${key}`, message: words.extra.documentMissing }] : []);
  }

  #chosen() {
    return [...this.#lists.values()].map(({ value }) => value);
  }

  #clearCorrected() {
    for (const [{ key }, { value }] of this.#lists) {
      if (value !== "" && this.fields.isShown(`documents.${key}`)) this.fields.clear(`documents.${key}`);
    }
  }

  /** @param {Document} document */
  #build(document) {
    const id = `document_${document.key}`;
    const list = make("select", { id, autocomplete: "off", "aria-describedby": `${id}_error` });
    this.#lists.set(document, list);
    const optional = document.required ?? true ? [] : [" ", make("span", { class: "optional" }, words.extra.optional)];
    return make(
      "div",
      { class: "field", "data-field": `documents.${document.key}` },
      make("label", { for: id }, words.extra.fileOf(titleOf(document)), ...optional),
      make("p", { class: "error", id: `${id}_error`, hidden: "" }),
      list,
    );
  }
}
