/** The code by SMS: proves that the applicant has the mobile. Required while the identity is unconfirmed. */

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

/** Pause before another code may be requested: an SMS takes a while. */
const PAUSE_SECONDS = 60;

/**
 * In HTML: `#mobile_proof` with the input `#mobile_code`, the button `#mobile_code_send` with its name in
 * `#mobile_code_send_name`, `#mobile_code_status`, `#mobile_code_wait` and a work notice `mobile_code`.
 */
export class MobileCode {
  #root = block("mobile_proof");

  #input = input("mobile_code");

  #send = button("mobile_code_send");

  #status = block("mobile_code_status");

  #wait = block("mobile_code_wait");

  #notice = new WorkNotice("mobile_code");

  /** Whether the request was sent already, with an unknown outcome: then the desk needs no other code. */
  isRepeat = () => false;

  /** @type {SentCode | null} */
  #sent = null;

  #isBusy = false;

  /** When another code may be requested, by this device's clock. */
  #nextAt = 0;

  #ticking = 0;

  #expiry = 0;

  /**
   * @param {import("./request-form.js").RequestForm} form
   * @param {import("./identity.js").Identity} identity
   * @param {import("./connection.js").Connection} connection
   */
  constructor(form, identity, connection) {
    this.form = form;
    this.identity = identity;
    this.connection = connection;
    holdStill(this.#send);
    this.#send.addEventListener("click", () => void this.#request());
    this.#input.addEventListener("input", () => form.fields.clear("mobile_code"));
    form.root.addEventListener("input", () => this.update());
  }

  /** Show this step if the identity and the mobile require it; void the code if the mobile has changed. */
  update() {
    this.#root.hidden = !this.isRequired;
    if (this.#sent !== null && this.#sent.mobile !== this.form.mobile) this.forget(words.mobileCode.changed);
  }

  /** Whether the request needs a code. */
  get isRequired() {
    const { mobile_proof: whose = "pending" } = this.form.lists.limits;
    if (this.identity.state === "pending") return whose !== "off";
    return this.identity.state === "matched" && whose === "always" && !this.form.isForeign;
  }

  /** @returns {CaptchaAnswer | null} null if no code is required or none was sent */
  get answer() {
    return this.isRequired && this.#sent !== null ? { id: this.#sent.id, answer: typedDigits(this.#input.value) } : null;
  }

  /** @returns {Fault | null} what to correct */
  get fault() {
    if (!this.isRequired) return null;
    if (this.form.isForeign) return { field: "mobile", message: words.mobile.iranianNeeded };
    if (this.#sent === null && this.isRepeat()) return null;
    const message = this.#sent === null ? words.mobileCode.notSent : checkMobileCode(this.#input.value);
    return message === null ? null : { field: "mobile_code", message };
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
    const { mobile } = this.form;
    if (this.#isBusy || Date.now() < this.#nextAt) return;
    if (mobile === null) {
      this.form.fields.show({ field: "mobile", message: this.form.isForeign ? words.mobile.iranianNeeded : words.mobile.wrong });
      this.form.fields.focus("mobile");
      return;
    }
    this.form.fields.clear("mobile_code");
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
    const code = await this.connection.insist(() =>
      withProof("mobile", async (proof) => sendCode(mobile, language, proof ?? (await solveProof("mobile", 0, watch))), watch));
    if (mobile !== this.form.mobile) {
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
      this.form.fields.show({ field: "mobile", message: atMobile.message });
      this.form.fields.focus("mobile");
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
