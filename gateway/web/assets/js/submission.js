/** Sending a request: once for each key, again after a lost connection, and with a new identity token if one has expired. */

import { sendRequest } from "./api.js";
import { Problem } from "./problem.js";
import { IdempotencyKey } from "./idempotency.js";
import { language } from "./language.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Names} Names */
/** @typedef {import("./api.js").Receipt} Receipt */
/**
 * @typedef {object} Parts
 * @property {import("./request-form.js").RequestForm} form
 * @property {import("./attachments.js").Attachments} attachments
 * @property {import("./captcha.js").Captcha} captcha
 * @property {import("./mobile-code.js").MobileCode} mobileCode
 * @property {import("./identity.js").Identity} identity
 * @property {import("./connection.js").Connection} connection
 */
/**
 * @typedef {object} Listeners
 * @property {() => boolean} isComplete whether nothing has to be corrected; it shows the errors if not
 * @property {(message: string | null) => void} onBusy
 * @property {() => void} onAttempt the key has changed, and must be stored before the request is sent
 */

export class Submission {
  key = new IdempotencyKey();

  /** Whether the applicant has confirmed that the same request is sent once more today. */
  again = false;

  /**
   * @param {Parts} parts
   * @param {Listeners} listeners
   */
  constructor(parts, listeners) {
    this.parts = parts;
    this.listeners = listeners;
    parts.mobileCode.isRepeat = () => this.key.attempt !== null && !this.isChanged;
  }

  /**
   * The desk has refused the request: get a new key and a new security code. If only the code by SMS was refused, both
   * stay, because the desk has used the right security code up for this key.
   * @param {Problem} error
   */
  renewUsed(error) {
    const { captcha, mobileCode } = this.parts;
    if (!error.code.startsWith("mobile_code_")) {
      this.key.forget();
      void captcha.renew();
      return;
    }
    this.key.keepForCodes();
    captcha.hold();
    if (error.code === "mobile_code_expired") mobileCode.forget();
  }

  /**
   * Send the request, and once more if the identity token has expired.
   * @returns {Promise<Receipt | null>} null if the registry is unavailable and the applicant must type their names
   */
  async send() {
    const { attachments, identity } = this.parts;
    try {
      return await this.#post();
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
      if ((await identity.renew()) === null) throw error;
      await attachments.settled();
      return this.listeners.isComplete() ? this.#post() : null;
    }
  }

  /** Whether the form has changed since the last attempt. */
  get isChanged() {
    const { attachments, form } = this.parts;
    return this.key.attempt?.content !== JSON.stringify(form.content(attachments.ids));
  }

  /**
   * Send the request, and repeat it after a lost connection: with the same key it is one request. Typed names and the
   * language are not part of the content of the key: between two attempts the registry may return the name.
   * @returns {Promise<Receipt>}
   */
  #post() {
    const { attachments, captcha, connection, form, identity, mobileCode } = this.parts;
    const { again } = this;
    const body = form.content(attachments.ids);
    const answer = captcha.answer ?? { id: "", answer: "" };
    const code = mobileCode.answer;
    const applicant = /** @type {Names | null} */ (identity.typed);
    const token = identity.identified?.token ?? "";
    const as = this.key.for(body);
    this.listeners.onAttempt(); // before the request is sent: after a reload the page needs the key
    this.listeners.onBusy(words.submit.busy);
    return connection.insist(() => {
      this.listeners.onBusy(words.submit.busy);
      const named = { ...(applicant !== null && { applicant }), ...(code !== null && { mobile_code: code }) };
      return sendRequest({ ...body, language, ...(again && { again }), ...named, captcha: answer }, token, as);
    }, {
      isWanted: () => JSON.stringify(form.content(attachments.ids)) === JSON.stringify(body),
      onCut: () => {
        captcha.hold();
        this.listeners.onBusy(words.draft.waitingLine);
      },
    });
  }
}
