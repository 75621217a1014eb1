/** Another mobile of a tracked request, with a code that is sent to it. */

import { changeContact } from "./api.js";
import { Problem } from "./problem.js";
import { block, button, byId, input, make } from "./elements.js";
import { inWords, mayRetry } from "./failure.js";
import { Fields, holdStill } from "./fields.js";
import { IdempotencyKey } from "./idempotency.js";
import { readMobile } from "./phone.js";
import { checkMobile } from "./request-rules.js";
import { SmsCode } from "./sms-code.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").TrackedRequest} TrackedRequest */

/** In HTML: `#result_unreached`, and `#contact_part` with `#unreached`, `#contact_details`, `#contact_form`, `#mobile`, a code by SMS, `#contact_submit` and `#contact_error`. */
export class ContactChange {
  #form = byId("contact_form", HTMLFormElement);

  #mobile = input("mobile");

  #submit = button("contact_submit");

  #error = block("contact_error");

  #fields = new Fields(this.#form);

  #key = new IdempotencyKey();

  #code;

  /** @type {TrackedRequest | null} */
  #request = null;

  #busy = false;

  /**
   * @param {(request: TrackedRequest) => void} show shows the request after the change
   * @param {import("./connection.js").Connection} connection
   */
  constructor(show, connection) {
    this.show = show;
    this.connection = connection;
    this.#code = new SmsCode("contact", {
      fields: this.#fields,
      mobile: () => readMobile(this.#mobile.value),
      wrong: () => checkMobile(this.#mobile.value) ?? words.mobile.wrong,
      connection,
    });
    this.#fields.checkOnLeaving("mobile", this.#mobile, checkMobile);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    holdStill(this.#submit);
  }

  /** @param {TrackedRequest} request */
  offer(request) {
    this.#request = request;
    this.#error.hidden = true;
    const isPossible = request.contact_changeable === true;
    const isUnreached = isPossible && request.unreached === true;
    block("contact_part").hidden = !isPossible;
    block("unreached").hidden = !isUnreached;
    block("result_unreached").hidden = !isUnreached;
    if (isUnreached) byId("contact_details", HTMLDetailsElement).open = true;
  }

  async #send() {
    if (this.#busy || this.#request === null) return;
    const atMobile = checkMobile(this.#mobile.value);
    const fault = atMobile === null ? this.#code.fault : { field: "mobile", message: atMobile };
    if (fault !== null) {
      this.#fields.show(fault);
      this.#fields.focus(fault.field);
      return;
    }
    const mobile = readMobile(this.#mobile.value) ?? "";
    const body = { mobile, mobile_code: this.#code.answer ?? { id: "", answer: "" } };
    const { token } = this.#request;
    this.#showBusy(true);
    this.#error.hidden = true;
    try {
      const key = this.#key.for({ mobile });
      this.#succeed(await this.connection.insist(() => changeContact(body, token, key)));
    } catch (error) {
      this.#explain(error);
    } finally {
      this.#showBusy(false);
    }
  }

  /** @param {TrackedRequest} request */
  #succeed(request) {
    this.#key.forget();
    this.#code.forget();
    this.#form.reset();
    byId("contact_details", HTMLDetailsElement).open = false;
    this.show(request);
    const moved = block("moved");
    moved.textContent = words.contact.done;
    moved.hidden = false;
  }

  /** @param {unknown} error */
  #explain(error) {
    if (error instanceof Problem && !mayRetry(error)) {
      if (error.code === "mobile_code_wrong") this.#key.keepForCodes();
      else this.#key.forget();
      if (error.code === "mobile_code_expired") this.#code.forget();
      const known = error.errors.flatMap(({ field: name, message }) => {
        const field = this.#fields.named(name);
        return field === null ? [] : [{ field, message }];
      });
      for (const fault of known) this.#fields.show(fault);
      const [first] = known;
      if (first !== undefined) {
        this.#fields.focus(first.field);
        return;
      }
    }
    const again = error instanceof Problem && [401, 409].includes(error.status);
    this.#error.replaceChildren(make("p", {}, inWords(error)), ...(again ? [make("p", {}, make("a", { href: "/track" }, words.actions.again))] : []));
    this.#error.hidden = false;
    this.#error.focus();
  }

  /** @param {boolean} busy */
  #showBusy(busy) {
    this.#busy = busy;
    this.#submit.dataset.state = busy ? "busy" : "idle";
    this.#submit.setAttribute("aria-disabled", String(busy));
    this.#submit.textContent = busy ? words.contact.busy : words.contact.idle;
  }
}
