/** The security code: an image of five digits, good for one answer and a few minutes. */

import { millisecondsUntil, newCaptcha } from "./api.js";
import { typedDigits } from "./digits.js";
import { block, button, byId, input } from "./elements.js";
import { words } from "./words.fa.js";

/** @typedef {import("./api.js").CaptchaAnswer} CaptchaAnswer */

/** In HTML: `#captcha` around `#captcha_image`, `#new_captcha`, `#captcha_status` and the input `#captcha_answer`. */
export class Captcha {
  #root = block("captcha");

  #image = byId("captcha_image", HTMLImageElement);

  #status = block("captcha_status");

  #answer = input("captcha_answer");

  /** @type {string | null} */
  #id = null;

  #turn = 0;

  #expired = false;

  #held = false;

  #timer = 0;

  /** @param {"submit" | "track"} purpose */
  constructor(purpose) {
    this.purpose = purpose;
    button("new_captcha").addEventListener("click", () => {
      this.#held = false;
      void this.#fetch(words.captcha.renewed).then(() => this.#answer.focus());
    });
    document.addEventListener("visibilitychange", () => this.#replaceExpired());
  }

  /** Bring a new code and forget what was typed for the old one. */
  renew() {
    this.#held = false;
    return this.#fetch("");
  }

  /** Keep this code although it may expire: a request with its answer is to be sent again as it was. */
  hold() {
    this.#held = true;
  }

  /** @returns {CaptchaAnswer | null} null while no image is there */
  get answer() {
    return this.#id === null ? null : { id: this.#id, answer: typedDigits(this.#answer.value) };
  }

  /** @param {string} announcement */
  async #fetch(announcement) {
    this.#turn += 1;
    const turn = this.#turn;
    clearTimeout(this.#timer);
    this.#id = null;
    this.#expired = false;
    this.#answer.value = "";
    this.#say("loading", words.captcha.loading);
    try {
      const captcha = await newCaptcha(this.purpose);
      if (turn !== this.#turn) return;
      this.#id = captcha.id;
      this.#image.src = captcha.image;
      this.#say("ready", announcement);
      this.#timer = window.setTimeout(() => {
        this.#expired = true;
        this.#replaceExpired();
      }, Math.max(1_000, millisecondsUntil(captcha.expires_at)));
    } catch {
      if (turn === this.#turn) this.#say("failed", words.captcha.failed);
    }
  }

  #replaceExpired() {
    if (!this.#expired || this.#held || document.visibilityState === "hidden") return;
    void this.#fetch(words.captcha.expired);
  }

  /**
   * @param {"loading" | "ready" | "failed"} state
   * @param {string} message
   */
  #say(state, message) {
    this.#root.dataset.state = state;
    this.#image.hidden = state !== "ready";
    this.#status.textContent = message;
  }
}
