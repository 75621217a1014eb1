/** A Jalali calendar in a dialog, after the date-picker dialog pattern of the ARIA practices. */

import { make, fillSelect } from "./elements.js";
import { compare, daysInMonth, plusDays, plusMonths, toIso, weekday } from "./jalali.js";
import { digits } from "./language.js";
import { dateInWords } from "./tehran.js";
import { words } from "./words.js";

/** @typedef {import("./jalali.js").JalaliDate} JalaliDate */

const ROWS = 6;

export class Calendar {
  /** @type {JalaliDate} the day that has or would get the focus */
  #day;

  /** @type {JalaliDate | null} */
  #chosen = null;

  #month = make("select", { id: "calendar_month", "aria-label": words.calendar.month });

  #year = make("select", { id: "calendar_year", "aria-label": words.calendar.year });

  #previous = stepButton("calendar_previous", words.calendar.previousMonth);

  #next = stepButton("calendar_next", words.calendar.nextMonth);

  #heading = make("h2", { id: "calendar_heading", class: "visually-hidden", "aria-live": "polite" });

  #body = make("tbody");

  #dialog = this.#build();

  /**
   * @param {{ first: JalaliDate, today: JalaliDate, onChoose: (date: JalaliDate) => void }} options
   *   the days from first to today can be chosen
   */
  constructor({ first, today, onChoose }) {
    this.first = first;
    this.today = today;
    this.onChoose = onChoose;
    this.#day = today;
    fillSelect(this.#month, "", words.months.map((label, index) => ({ value: String(index + 1), label })));
    fillSelect(this.#year, "", years(first.year, today.year));
    this.#month.remove(0);
    this.#year.remove(0);
    document.body.append(this.#dialog);
  }

  /**
   * @param {JalaliDate | null} chosen the day to mark as chosen
   * @param {JalaliDate} shown the day to start from
   */
  open(chosen, shown) {
    this.#chosen = chosen;
    this.#dialog.showModal();
    this.#goTo(shown);
    this.#focusDay();
  }

  #build() {
    const header = make("div", { class: "calendar-header" }, this.#previous, this.#month, this.#year, this.#next);
    const names = words.weekdays.map((name) => make("th", { scope: "col", abbr: name }, make("span", { "aria-hidden": "true" }, name.charAt(0)), make("span", { class: "visually-hidden" }, name)));
    const grid = make(
      "table",
      { role: "grid", class: "calendar-grid", "aria-labelledby": "calendar_heading", "aria-describedby": "calendar_keys" },
      make("thead", {}, make("tr", {}, ...names)),
      this.#body,
    );
    const close = make("button", { type: "button", class: "button-quiet", id: "calendar_close" }, words.calendar.close);
    const dialog = make(
      "dialog",
      { id: "calendar", class: "calendar", "aria-label": words.calendar.title },
      header,
      this.#heading,
      grid,
      make("p", { id: "calendar_keys", class: "visually-hidden" }, words.calendar.keys),
      make("div", { class: "calendar-footer" }, close),
    );

    this.#previous.addEventListener("click", () => this.#goTo(plusMonths(this.#day, -1)));
    this.#next.addEventListener("click", () => this.#goTo(plusMonths(this.#day, 1)));
    this.#month.addEventListener("change", () => this.#goToMonth());
    this.#year.addEventListener("change", () => this.#goToMonth());
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    this.#body.addEventListener("click", (event) => this.#clicked(event));
    grid.addEventListener("keydown", (event) => this.#pressed(event));
    return dialog;
  }

  /** @param {JalaliDate} day */
  #goTo(day) {
    this.#day = this.#within(day);
    const { year, month } = this.#day;
    this.#month.value = String(month);
    this.#year.value = String(year);
    this.#heading.textContent = `${words.months[month - 1]} ${digits(year)}`;
    allow(this.#previous, year > this.first.year || month > this.first.month);
    allow(this.#next, year < this.today.year || month < this.today.month);
    this.#body.replaceChildren(...this.#weeks());
  }

  #goToMonth() {
    const year = Number(this.#year.value);
    const month = Number(this.#month.value);
    this.#goTo({ year, month, day: Math.min(this.#day.day, daysInMonth(year, month)) });
  }

  /** @returns {HTMLTableRowElement[]} */
  #weeks() {
    const { year, month } = this.#day;
    const start = { year, month, day: 1 };
    const blanks = weekday(start);
    const length = daysInMonth(year, month);
    return Array.from({ length: ROWS }, (_, row) => make("tr", {}, ...words.weekdays.map((__, column) => {
      const day = row * 7 + column - blanks + 1;
      return day >= 1 && day <= length ? this.#cell({ year, month, day }) : make("td", { role: "gridcell" });
    })));
  }

  /** @param {JalaliDate} date */
  #cell(date) {
    const cell = make(
      "td",
      { role: "gridcell", tabindex: "-1", "data-date": toIso(date), "aria-label": dateInWords(date) },
      digits(date.day),
    );
    cell.setAttribute("aria-selected", String(this.#chosen !== null && compare(date, this.#chosen) === 0));
    if (compare(date, this.#day) === 0) cell.tabIndex = 0;
    if (compare(date, this.today) === 0) cell.setAttribute("aria-current", "date");
    if (!this.#isAllowed(date)) cell.setAttribute("aria-disabled", "true");
    return cell;
  }

  #focusDay() {
    const cell = this.#body.querySelector(`[data-date="${toIso(this.#day)}"]`);
    if (cell instanceof HTMLElement) cell.focus();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const cell = event.target instanceof Element ? event.target.closest("td[data-date]") : null;
    if (!(cell instanceof HTMLElement)) return;
    const [year, month, day] = (cell.dataset.date ?? "").split("-").map(Number);
    this.#choose({ year: Number(year), month: Number(month), day: Number(day) });
  }

  /** @param {JalaliDate} date */
  #choose(date) {
    if (!this.#isAllowed(date)) return;
    this.#dialog.close();
    this.onChoose(date);
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") this.#choose(this.#day);
    else {
      const day = this.#reachedBy(event.key, event.shiftKey);
      if (day === null) return;
      this.#goTo(day);
      this.#focusDay();
    }
    event.preventDefault();
  }

  /**
   * @param {string} key
   * @param {boolean} shift
   * @returns {JalaliDate | null}
   */
  #reachedBy(key, shift) {
    const day = this.#day;
    switch (key) {
      case "ArrowLeft": return plusDays(day, leftwards());
      case "ArrowRight": return plusDays(day, -leftwards());
      case "ArrowUp": return plusDays(day, -7);
      case "ArrowDown": return plusDays(day, 7);
      case "Home": return plusDays(day, -weekday(day));
      case "End": return plusDays(day, 6 - weekday(day));
      case "PageUp": return plusMonths(day, shift ? -12 : -1);
      case "PageDown": return plusMonths(day, shift ? 12 : 1);
      default: return null;
    }
  }

  /** @param {JalaliDate} date */
  #isAllowed(date) {
    return compare(date, this.first) >= 0 && compare(date, this.today) <= 0;
  }

  /**
   * @param {JalaliDate} date
   * @returns {JalaliDate} the same day, or the nearest one that can be chosen
   */
  #within(date) {
    if (compare(date, this.first) < 0) return this.first;
    return compare(date, this.today) > 0 ? this.today : date;
  }
}

/** The number of days from a cell to the next one on the left, which depends on the direction of the page. */
function leftwards() {
  return document.documentElement.dir === "ltr" ? -1 : 1;
}

/**
 * @param {number} first
 * @param {number} last
 * @returns {{ value: string, label: string }[]} the newest first
 */
function years(first, last) {
  return Array.from({ length: last - first + 1 }, (_, index) => ({ value: String(last - index), label: digits(last - index) }));
}

/**
 * @param {string} id
 * @param {string} label
 */
function stepButton(id, label) {
  return make("button", { type: "button", id, class: "calendar-step", "aria-label": label });
}

/**
 * @param {HTMLButtonElement} step
 * @param {boolean} allowed
 */
function allow(step, allowed) {
  step.setAttribute("aria-disabled", String(!allowed));
}
