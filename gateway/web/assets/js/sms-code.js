/** A code by SMS: proves that the applicant has the mobile, for one purpose. */

import { sendCode } from "./api.js";
import { millisecondsUntil } from "./desk-clock.js";
import { Problem } from "./problem.js";
import { typedDigits } from "./digits.js";
import { block, button, input } from "./elements.js";
import { inWords } from "./failure.js";
import { holdStill } from "./fields.js";
import { language } from "./language.js";
import { checkMobileCode } from "./request-rules.js";
import { words } from "./words.js";
import { WorkFailed, solveProof, withProof } from "./work.js";
import { WorkNotice } from "./work-notice.js";

/** @typedef {import("./api.js").CaptchaAnswer} CaptchaAnswer */
/** @typedef {import("./fields.js").Fault} Fault */
/** @typedef {{ id: string, mobile: string, expires_at: string }} SentCode */

/**
 * @typedef {object} Surroundings
 * @property {import("./fields.js").Fields} fields the form's fields, with `mobile` and `mobile_code`
 * @property {() => string | null} mobile what is typed, if a code can be sent to it
 * @property {() => string} wrong the message at the mobile if none can
 * @property {import("./connection.js").Connection} connection
 */

/** Pause before another code may be requested: an SMS takes a while. */
const PAUSE_SECONDS = 60;

/**
 * In HTML: `#mobile_proof` with the input `#mobile_code`, the button `#mobile_code_send` with its name in
 * `#mobile_code_send_name`, `#mobile_code_status`, `#mobile_code_wait` and a work notice `mobile_code`.
 */
export class SmsCode {
  #root = block("mobile_proof");

  #input = input("mobile_code");

  #send = button("mobile_code_send");

  #status = block("mobile_code_status");

  #wait = block("mobile_code_wait");

  #notice = new WorkNotice("mobile_code");

  /** @type {SentCode | null} */
  #sent = null;

  #isBusy = false;

  /** When another code may be requested, by this device's clock. */
  #nextAt = 0;

  #ticking = 0;

  #expiry = 0;

  /**
   * @param {import("./api.js").CodePurpose} purpose
   * @param {Surroundings} surroundings
   */
  constructor(purpose, surroundings) {
    this.purpose = purpose;
    this.surroundings = surroundings;
    holdStill(this.#send);
    this.#send.addEventListener("click", () => void this.#request());
    this.#input.addEventListener("input", () => surroundings.fields.clear("mobile_code"));
    surroundings.fields.form.addEventListener("input", () => this.update());
  }

  /** Void the code if the mobile has changed. */
  update() {
    if (this.#sent !== null && this.#sent.mobile !== this.surroundings.mobile()) this.forget(words.mobileCode.changed);
  }

  /** Whether a code was sent to the mobile. */
  get isSent() {
    return this.#sent !== null;
  }

  /** @returns {CaptchaAnswer | null} null if none was sent */
  get answer() {
    return this.#sent === null ? null : { id: this.#sent.id, answer: typedDigits(this.#input.value) };
  }

  /** @returns {Fault | null} what to correct */
  get fault() {
    const message = this.#sent === null ? words.mobileCode.notSent : checkMobileCode(this.#input.value);
    return message === null ? null : { field: "mobile_code", message };
  }

  /** @param {boolean} shown */
  show(shown) {
    this.#root.hidden = !shown;
  }

  /**
   * Void the code.
   * @param {string} [reason] shown to the applicant
   */
  forget(reason = "") {
    clearTimeout(this.#expiry);
    this.#sent = null;
    this.#input.value = "";
    this.#say(reason);
    this.#nextAt = 0;
    this.#tick();
    this.#nameButton();
  }

  async #request() {
    const mobile = this.surroundings.mobile();
    if (this.#isBusy || Date.now() < this.#nextAt) return;
    if (mobile === null) {
      this.surroundings.fields.show({ field: "mobile", message: this.surroundings.wrong() });
      this.surroundings.fields.focus("mobile");
      return;
    }
    this.surroundings.fields.clear("mobile_code");
    this.#busy(true);
    this.#say(words.mobileCode.sending);
    try {
      await this.#bring(mobile);
    } catch (error) {
      this.#explain(error);
    } finally {
      this.#notice.hide();
      this.#busy(false);
    }
  }

  /** @param {string} mobile */
  async #bring(mobile) {
    const { watch } = this.#notice;
    const code = await this.surroundings.connection.insist(() =>
      withProof("mobile", async (proof) => sendCode(this.purpose, mobile, language, proof ?? (await solveProof("mobile", 0, watch))), watch));
    if (mobile !== this.surroundings.mobile()) {
      this.#say(words.mobileCode.changed);
      return;
    }
    this.#sent = { ...code, mobile };
    this.#input.value = "";
    this.#say(words.mobileCode.sent);
    this.#nextAt = Date.now() + PAUSE_SECONDS * 1_000;
    this.#tick();
    clearTimeout(this.#expiry);
    this.#expiry = window.setTimeout(() => this.forget(words.mobileCode.expired), Math.max(0, millisecondsUntil(code.expires_at)));
    this.#input.focus();
  }

  /** @param {unknown} error */
  #explain(error) {
    const atMobile = error instanceof Problem ? error.errors.find(({ field }) => field === "mobile") : undefined;
    if (atMobile !== undefined) {
      this.#say("");
      this.surroundings.fields.show({ field: "mobile", message: atMobile.message });
      this.surroundings.fields.focus("mobile");
      return;
    }
    this.#say(error instanceof WorkFailed ? words.work.unable : inWords(error), { failed: true });
  }

  /** @param {boolean} busy */
  #busy(busy) {
    this.#isBusy = busy;
    this.#root.setAttribute("aria-busy", String(busy));
    this.#nameButton();
  }

  #nameButton() {
    block("mobile_code_send_name").textContent = this.#sent === null ? words.mobileCode.send : words.mobileCode.sendAgain;
    this.#send.setAttribute("aria-disabled", String(this.#isBusy || Date.now() < this.#nextAt));
  }

  /** Show every second how long to wait before another code may be requested. */
  #tick() {
    clearTimeout(this.#ticking);
    const left = Math.ceil((this.#nextAt - Date.now()) / 1_000);
    this.#wait.textContent = left > 0 ? words.mobileCode.wait(left) : "";
    if (left > 0) this.#ticking = window.setTimeout(() => this.#tick(), 1_000);
    this.#nameButton();
  }

  /**
   * @param {string} message
   * @param {{ failed?: boolean }} [how]
   */
  #say(message, { failed = false } = {}) {
    this.#status.textContent = message;
    this.#status.dataset.state = failed ? "failed" : "shown";
  }
}
