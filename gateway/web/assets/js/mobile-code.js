/** The code by SMS of a new request. Required while the identity is unconfirmed. */

import { SmsCode } from "./sms-code.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").CaptchaAnswer} CaptchaAnswer */
/** @typedef {import("./fields.js").Fault} Fault */

export class MobileCode extends SmsCode {
  /** Whether the request was sent already, with an unknown outcome: then the desk needs no other code. */
  isRepeat = () => false;

  /**
   * @param {import("./request-form.js").RequestForm} form
   * @param {import("./identity.js").Identity} identity
   * @param {import("./connection.js").Connection} connection
   */
  constructor(form, identity, connection) {
    super("mobile", {
      fields: form.fields,
      mobile: () => form.mobile,
      wrong: () => (form.isForeign ? words.mobile.iranianNeeded : words.mobile.wrong),
      connection,
    });
    this.requestForm = form;
    this.identity = identity;
  }

  /**
   * Show this step if the identity and the mobile require it; void the code if the mobile has changed.
   * @override
   */
  update() {
    this.show(this.isRequired);
    super.update();
  }

  /** Whether the request needs a code. */
  get isRequired() {
    const { mobile_proof: whose = "pending" } = this.requestForm.lists.limits;
    if (this.identity.state === "pending") return whose !== "off";
    return this.identity.state === "matched" && whose === "always" && !this.requestForm.isForeign;
  }

  /**
   * @override
   * @returns {CaptchaAnswer | null} null if no code is required or none was sent
   */
  get answer() {
    return this.isRequired ? super.answer : null;
  }

  /**
   * @override
   * @returns {Fault | null} what to correct
   */
  get fault() {
    if (!this.isRequired) return null;
    if (this.requestForm.isForeign) return { field: "mobile", message: words.mobile.iranianNeeded };
    if (!this.isSent && this.isRepeat()) return null;
    return super.fault;
  }
}
