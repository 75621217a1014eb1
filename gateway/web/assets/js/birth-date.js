/** The birth date: three input fields, and a calendar that fills them. */

import { now } from "./desk-clock.js";
import { FIRST_YEAR, mayGoOn, readBirthDate } from "./birth-date-rules.js";
import { Calendar } from "./calendar.js";
import { typedDigits } from "./digits.js";
import { button, input, select } from "./elements.js";
import { toIso } from "./jalali.js";
import { digits } from "./language.js";
import { dateOf, localOf } from "./tehran.js";

/** @typedef {import("./jalali.js").JalaliDate} JalaliDate */
/** @typedef {import("./fields.js").Control} Control */

/** Year shown by the calendar before a year is typed: closer to most birth dates than today. */
const YEARS_BACK = 40;

/** In HTML: `#birth_day`, `#birth_month`, `#birth_year` and the button `#open_calendar`. */
export class BirthDate {
  #controls = { day: input("birth_day"), month: select("birth_month"), year: input("birth_year") };

  #opener = button("open_calendar");

  /** @type {Calendar | null} */
  #calendar = null;

  constructor() {
    this.#opener.addEventListener("click", () => this.#open());
  }

  get controls() {
    return Object.values(this.#controls);
  }

  /** @returns {{ value: string, message: null } | { value: null, message: string, controls: Control[] }} YYYY-MM-DD, or what to correct, and where */
  read() {
    const { date, message, parts } = this.#reading();
    if (date !== null) return { value: toIso(date), message: null };
    return { value: null, message, controls: parts.map((part) => this.#controls[part]) };
  }

  /** Whether each of the three fields has a value. */
  get isFilled() {
    return this.controls.every((control) => control.value.trim() !== "");
  }

  /** Whether the day may still get a second digit. */
  get mayGoOn() {
    return mayGoOn(this.#controls.day.value);
  }

  #reading() {
    const { day, month, year } = this.#controls;
    return readBirthDate({ day: day.value, month: month.value, year: year.value }, dateOf(localOf(now())));
  }

  #open() {
    const today = dateOf(localOf(now()));
    this.#calendar ??= new Calendar({
      first: { year: FIRST_YEAR, month: 1, day: 1 },
      today,
      onChoose: (date) => this.#fill(date),
    });
    const chosen = this.#reading().date;
    this.#calendar.open(chosen, chosen ?? this.#nearest(today));
  }

  /**
   * @param {JalaliDate} today
   * @returns {JalaliDate} the day to start from while some fields are empty
   */
  #nearest(today) {
    const year = Number(typedDigits(this.#controls.year.value));
    const month = Number(this.#controls.month.value);
    if (year === today.year) return today;
    const known = year >= FIRST_YEAR && year < today.year;
    return { year: known ? year : today.year - YEARS_BACK, month: month >= 1 ? month : 1, day: 1 };
  }

  /** @param {JalaliDate} date */
  #fill({ day, month, year }) {
    this.#controls.day.value = digits(day);
    this.#controls.month.value = String(month);
    this.#controls.year.value = digits(year);
    this.#opener.focus();
    this.#controls.year.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
