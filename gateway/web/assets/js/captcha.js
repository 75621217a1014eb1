/** The security code: five digits, as a picture or spoken, valid for one answer and a few minutes. */

import { newCaptcha } from "./api.js";
import { millisecondsUntil } from "./desk-clock.js";
import { Problem } from "./problem.js";
import { typedDigits } from "./digits.js";
import { block, button, byId, input } from "./elements.js";
import { inWords } from "./failure.js";
import { SpokenCode } from "./spoken-code.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").CaptchaAnswer} CaptchaAnswer */
/** @typedef {import("./connection.js").Connection} Connection */

/**
 * In HTML: `#captcha` with `#captcha_image`, `#captcha_play`, `#new_captcha`, `#captcha_switch` with its name in
 * `#captcha_switch_name`, `#captcha_status` and the input `#captcha_answer`.
 */
export class Captcha {
  #root = block("captcha");

  #image = byId("captcha_image", HTMLImageElement);

  #play = button("captcha_play");

  #switchName = block("captcha_switch_name");

  #status = block("captcha_status");

  #answer = input("captcha_answer");

  #spoken = new SpokenCode();

  /** @type {import("./api.js").CodeKind} */
  #kind = "image";

  /** @type {string | null} */
  #id = null;

  #turn = 0;

  /** When the code expires, by the desk's clock; null without a code. @type {string | null} */
  #until = null;

  #held = false;

  #timer = 0;

  /**
   * @param {"submit" | "track"} purpose
   * @param {Connection} connection
   */
  constructor(purpose, connection) {
    this.purpose = purpose;
    this.connection = connection;
    button("new_captcha").addEventListener("click", () => void this.#bringAnother());
    button("captcha_switch").addEventListener("click", () => {
      this.#kind = this.#kind === "image" ? "sound" : "image";
      this.#switchName.textContent = words.captcha.other[this.#kind];
      void this.#bringAnother();
    });
    this.#play.addEventListener("click", () => void this.#playSound());
    document.addEventListener("visibilitychange", () => this.#replaceExpired());
    window.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) this.#replaceExpired(); // timers do not run in a cached page
    });
  }

  /** Load a new code and clear the answer to the old one. */
  renew() {
    this.#held = false;
    return this.#fetch("");
  }

  /** Keep this code although it may expire: a request with its answer will be sent again unchanged. */
  hold() {
    this.#held = true;
  }

  /** @returns {CaptchaAnswer | null} null before a code is loaded */
  get answer() {
    return this.#id === null ? null : { id: this.#id, answer: typedDigits(this.#answer.value) };
  }

  /** Load a new code on request. A spoken code plays immediately, so no announcement interrupts it. */
  async #bringAnother() {
    this.#held = false;
    const isSpoken = this.#kind === "sound";
    await this.#fetch(isSpoken ? "" : words.captcha.renewed);
    if (this.#id === null) return;
    if (isSpoken) await this.#playSound();
    else this.#answer.focus();
  }

  async #playSound() {
    const turn = this.#turn;
    const plays = await this.#spoken.play();
    if (turn === this.#turn) this.#status.textContent = plays ? "" : words.captcha.notPlayed;
  }

  /** @param {string} announcement */
  async #fetch(announcement) {
    this.#turn += 1;
    const turn = this.#turn;
    clearTimeout(this.#timer);
    this.#id = null;
    this.#spoken.forget();
    this.#until = null;
    this.#answer.value = "";
    this.#say("loading", words.captcha.loading);
    try {
      const captcha = await this.connection.insist(() => this.#bring(), { isWanted: () => turn === this.#turn });
      if (turn !== this.#turn) return;
      this.#id = captcha.id;
      this.#image.src = captcha.image ?? "";
      this.#say("ready", announcement);
      this.#until = captcha.expires_at;
      this.#timer = window.setTimeout(() => this.#replaceExpired(), Math.max(1_000, millisecondsUntil(captcha.expires_at)));
    } catch (error) {
      const known = error instanceof Problem && error.title !== "";
      if (turn === this.#turn) this.#say("failed", known ? inWords(error) : words.captcha.failed);
    }
  }

  async #bring() {
    const captcha = await newCaptcha(this.purpose, this.#kind);
    if (captcha.sound !== undefined) await this.#spoken.load(captcha.sound);
    return captcha;
  }

  #replaceExpired() {
    if (this.#until === null || millisecondsUntil(this.#until) > 0 || this.#held || document.visibilityState === "hidden") return;
    void this.#fetch(words.captcha.expired);
  }

  /**
   * @param {"loading" | "ready" | "failed"} state
   * @param {string} message
   */
  #say(state, message) {
    this.#root.dataset.state = state;
    this.#root.dataset.kind = this.#kind;
    this.#image.hidden = state !== "ready" || this.#kind !== "image";
    this.#play.hidden = state !== "ready" || this.#kind !== "sound";
    this.#status.textContent = message;
  }
}
