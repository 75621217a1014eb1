/**
 * A searchable list: the "editable combobox with list autocomplete" of the ARIA practices, over a `<select>`.
 * The `<select>` has the value and is what the form reads; without scripts it is visible.
 */

import { matching, meant } from "./combobox-match.js";
import { make } from "./elements.js";
import { searchKey } from "./fold.js";
import { words } from "./words.js";

/** @typedef {import("./combobox-match.js").Choice} Choice */

export class Combobox {
  #select;

  #input;

  #list;

  #news = make("p", { class: "visually-hidden", role: "status" });

  #box;

  /** @type {Choice[]} the visible choices */
  #shown = [];

  /** The index of the choice reached with the arrow keys; -1 for none. */
  #active = -1;

  /** Whether the field has been left since something was typed. */
  #left = false;

  /**
   * An option's `data-search` contains additional words by which it is found.
   * @param {HTMLSelectElement} select with an id and a label
   */
  constructor(select) {
    const { id } = select;
    const label = select.labels[0];
    if (label === undefined) throw new Error(`the list #${id} has no label`);
    this.#select = select;
    this.#list = make("ul", { id: `${id}_list`, class: "combobox-list", role: "listbox", "aria-label": words.combobox.list(label.textContent ?? "") });
    this.#list.hidden = true;
    this.#input = make("input", {
      id: `${id}_search`,
      type: "text",
      role: "combobox",
      autocomplete: "off",
      autocapitalize: "none",
      spellcheck: "false",
      enterkeyhint: "done",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": this.#list.id,
      "aria-describedby": select.getAttribute("aria-describedby") ?? "",
    });
    this.#input.required = select.required;
    if (select.getAttribute("aria-invalid") === "true") this.#input.setAttribute("aria-invalid", "true");
    this.#box = make("div", { class: "combobox" }, this.#input, this.#list, this.#news);
    select.before(this.#box);
    select.hidden = true;
    label.htmlFor = this.#input.id;
    this.#listen();
    this.refresh();
  }

  get input() {
    return this.#input;
  }

  /** Whether the field was left with text that is no choice of the list. */
  get isUnmatched() {
    return this.#left && this.#isLoose;
  }

  /** Whether the typed text is no choice of the list, or not yet. */
  get #isLoose() {
    return this.#select.value === "" && this.#input.value.trim() !== "";
  }

  /** Show the value of the `<select>`. Called automatically when an event changes its options or value. */
  refresh() {
    const [empty] = this.#select.options;
    this.#input.placeholder = empty !== undefined && empty.value === "" ? empty.label : "";
    this.#input.disabled = this.#select.disabled;
    if (!this.#isLoose) this.#input.value = this.#chosen()?.label ?? "";
    if (this.#isOpen) this.#show(this.#choices());
  }

  #listen() {
    const input = this.#input;
    input.addEventListener("focus", () => input.select());
    input.addEventListener("click", () => this.#open(this.#choices()));
    input.addEventListener("input", (event) => {
      event.stopPropagation(); // the change of the <select> is what counts
      this.#typed();
    });
    input.addEventListener("change", (event) => event.stopPropagation());
    input.addEventListener("keydown", (event) => {
      if (!event.isComposing && this.#pressed(event)) event.preventDefault();
    });
    input.addEventListener("blur", () => this.#settle());
    // Pressing one of these buttons does not move the focus from the field.
    this.#select.form?.addEventListener("submit", () => this.#settle(), { capture: true });
    this.#list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the field
    this.#list.addEventListener("click", (event) => {
      const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
      if (option !== null) this.#choose(this.#shown[Array.from(this.#list.children).indexOf(option)]);
    });
    this.#select.addEventListener("change", () => {
      if (document.activeElement !== input) this.refresh();
    });
    new MutationObserver(() => this.refresh()).observe(this.#select, { childList: true, attributes: true, attributeFilter: ["disabled"] });
  }

  /** @returns {Choice[]} */
  #choices() {
    return Array.from(this.#select.options)
      .filter((option) => option.value !== "")
      .map(({ value, label, dataset }) => ({ value, label, also: dataset.search ?? "" }));
  }

  #chosen() {
    return this.#choices().find(({ value }) => value === this.#select.value) ?? null;
  }

  get #isOpen() {
    return !this.#list.hidden;
  }

  #typed() {
    const { value } = this.#input;
    this.#left = false;
    const found = value.trim() === "" ? this.#choices() : matching(this.#choices(), value);
    // An incomplete name is no choice, and the previous choice is no longer valid.
    const named = found.find(({ label }) => searchKey(label) === searchKey(value));
    this.#set(named?.value ?? "");
    this.#open(found);
    this.#news.textContent = found.length === 0 ? words.combobox.none : words.combobox.found(found.length);
    this.#news.className = found.length === 0 ? "combobox-none" : "visually-hidden";
  }

  /** When the field is left, an unambiguous match is chosen, anything else is not. */
  #settle() {
    if (!this.#isOpen && !this.#isLoose) return;
    this.#left = true;
    const active = this.#shown[this.#active];
    const choice = active ?? (this.#select.value === "" ? meant(this.#choices(), this.#input.value) : null);
    if (choice !== null) this.#choose(choice);
    else {
      this.#close();
      if (this.#isLoose) this.#dispatch("change");
    }
  }

  /**
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was handled
   */
  #pressed({ key, altKey, ctrlKey, metaKey }) {
    if (ctrlKey || metaKey) return false;
    const last = this.#shown.length - 1;
    switch (key) {
      case "ArrowDown":
        if (altKey || !this.#isOpen) this.#open(this.#fitting(), altKey ? -1 : 0);
        else this.#activate(this.#active === last ? 0 : this.#active + 1);
        return true;
      case "ArrowUp":
        if (altKey) this.#close();
        else if (this.#isOpen) this.#activate(this.#active <= 0 ? last : this.#active - 1);
        else this.#open(this.#fitting(), this.#fitting().length - 1);
        return true;
      case "Home":
      case "End":
        if (this.#active === -1) return false; // moves the cursor within the text
        this.#activate(key === "Home" ? 0 : last);
        return true;
      case "Enter":
        this.#enter();
        return true; // as in a <select>, it does not send the form
      case "Escape":
        return this.#escape();
      default:
        return false;
    }
  }

  #enter() {
    if (!this.#isOpen) {
      this.#open(this.#fitting());
      return;
    }
    const choice = this.#shown[this.#active] ?? meant(this.#choices(), this.#input.value);
    if (choice !== null) this.#choose(choice);
  }

  #escape() {
    if (!this.#isOpen) return false;
    this.#close();
    return true;
  }

  /** The typed text filters the list until something is chosen; then the whole list is shown. */
  #fitting() {
    return this.#isLoose ? matching(this.#choices(), this.#input.value) : this.#choices();
  }

  /**
   * @param {Choice[]} choices
   * @param {number} [active] -1: none yet
   */
  #open(choices, active = -1) {
    const opens = this.#list.hidden;
    this.#list.hidden = choices.length === 0;
    this.#input.setAttribute("aria-expanded", String(this.#isOpen));
    this.#show(choices);
    if (opens) this.#list.scrollIntoView({ block: "nearest" });
    const chosen = choices.findIndex(({ value }) => value === this.#select.value);
    this.#activate(active === 0 && chosen > 0 ? chosen : active);
    const start = this.#list.children[Math.max(chosen, 0)];
    if (active === -1) start?.scrollIntoView({ block: "nearest" });
  }

  /** @param {Choice[]} choices */
  #show(choices) {
    this.#shown = choices;
    this.#active = -1;
    this.#input.removeAttribute("aria-activedescendant");
    this.#list.replaceChildren(...choices.map(({ value, label }, place) => {
      const option = make("li", { id: `${this.#list.id}_${place}`, role: "option", "aria-selected": "false", "data-value": value }, label);
      option.toggleAttribute("data-chosen", value === this.#select.value);
      return option;
    }));
  }

  /** @param {number} place */
  #activate(place) {
    this.#list.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
    this.#active = place;
    const option = this.#list.children[place];
    if (option === undefined) {
      this.#input.removeAttribute("aria-activedescendant");
      return;
    }
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.#input.setAttribute("aria-activedescendant", option.id);
  }

  #close() {
    this.#list.hidden = true;
    this.#active = -1;
    this.#input.setAttribute("aria-expanded", "false");
    this.#input.removeAttribute("aria-activedescendant");
    this.#news.className = "visually-hidden";
    this.#news.textContent = "";
  }

  /** @param {Choice | undefined} choice */
  #choose(choice) {
    if (choice === undefined) return;
    this.#input.value = choice.label;
    this.#close();
    this.#set(choice.value);
  }

  /** @param {string} value */
  #set(value) {
    if (this.#select.value === value) return;
    this.#select.value = value;
    this.#dispatch("input");
    this.#dispatch("change");
  }

  /** @param {"input" | "change"} type */
  #dispatch(type) {
    this.#select.dispatchEvent(new Event(type, { bubbles: true }));
  }
}
