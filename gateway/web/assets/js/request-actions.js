/** The actions of an applicant, each after a confirmation. */

import { actOn, fetchCatalog } from "./api.js";
import { Problem, Unreachable } from "./problem.js";
import { USUAL_FILE_LIMITS } from "./attachment-rules.js";
import { OF_A_REPLY } from "./attachment-kinds.js";
import { Attachments } from "./attachments.js";
import { block, button, byId, make } from "./elements.js";
import { inWords, mayRetry } from "./failure.js";
import { Fields } from "./fields.js";
import { IdempotencyKey } from "./idempotency.js";
import { actionsDraft, typeInto, typedIn } from "./actions-draft.js";
import { questionOf } from "./question.js";
import { dayOf } from "./tehran.js";
import { words } from "./words.js";
import { showWritten } from "./written.js";

/** @typedef {import("./api.js").Action} Action */
/** @typedef {import("./api.js").TrackedRequest} TrackedRequest */

/**
 * In HTML: `#request_actions` with a `details[data-action]` of each action, its `#…_form` and `#…_submit`, and the dialog
 * `#confirm`. An action has `data-path` (the end of its route) and, if a field must be filled in, `data-needed` with its name.
 */
export class RequestActions {
  #forms = parts().map((details) => {
    const { action = "" } = details.dataset;
    return new ActionForm(details, (body) => void this.#prepare(action, body));
  });

  #draft = actionsDraft();

  #files;

  #error = block("actions_error");

  #dialog = byId("confirm", HTMLDialogElement);

  /** @type {TrackedRequest | null} */
  #request = null;

  /** @type {(() => void) | null} */
  #meant = null;

  #busy = false;

  /**
   * @param {(request: TrackedRequest) => void} show shows the request after an action
   * @param {import("./connection.js").Connection} connection
   */
  constructor(show, connection) {
    this.show = show;
    this.connection = connection;
    this.#files = new Attachments(OF_A_REPLY, USUAL_FILE_LIMITS, {
      onChange: () => {
        if (this.#files.fault === null) this.#formOf("reply").fields.clear("files");
        this.#keep();
      },
      // The page's token cannot be renewed without a security code: the file's message says to open the request again.
      renewIdentity: async () => null,
    }, connection);
    for (const { form } of this.#forms) form.addEventListener("input", () => this.#keep());
    button("confirm_yes").addEventListener("click", () => {
      this.#dialog.close();
      this.#meant?.();
    });
    button("confirm_no").addEventListener("click", () => this.#dialog.close());
  }

  /** @param {TrackedRequest} request */
  offer(request) {
    const kept = this.#request === null ? this.#draft.read() : null; // before this page stores anything
    this.#request = request;
    this.#error.hidden = true;
    block("request_actions").hidden = request.actions.length === 0;
    for (const actionForm of this.#forms) actionForm.offer(request.actions.includes(actionForm.action), request.actions);
    if (request.actions.includes("reply")) void this.#showLimits();
    this.#files.belongTo(request.actions.includes("reply") ? { pair: request.tracking_code, token: request.token } : null);
    showWritten(block("question"), questionOf(request.history));
    block("reply_until").textContent = request.reply_until_local === null ? "" : words.track.replyUntil(dayOf(request.reply_until_local));
    block("objection_until").textContent = request.objection_until_local === null ? "" : words.actions.objectionUntil(dayOf(request.objection_until_local));
    if (kept?.trackingCode === request.tracking_code) this.#restore(kept, request);
  }

  /**
   * @param {import("./actions-draft.js").ActionsDraft} kept
   * @param {TrackedRequest} request
   */
  #restore(kept, request) {
    for (const { action, form, details } of this.#forms) {
      typeInto(form, kept.typed);
      if (request.actions.includes(action) && Object.keys(typedIn(form)).length > 0) details.open = true;
    }
    if (request.actions.includes("reply")) this.#files.restore(kept.files);
    this.#keep();
  }

  /** Show the limits of the catalogue. Without it the usual limits apply, and the desk checks each file again. */
  async #showLimits() {
    try {
      this.#files.limitTo((await this.connection.insist(fetchCatalog)).limits);
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    }
  }

  /** Store the current values of the forms. */
  #keep() {
    if (this.#request === null) return;
    const typed = Object.assign({}, ...this.#forms.map(({ form }) => typedIn(form)));
    const files = this.#files.kept;
    if (files.length === 0 && Object.keys(typed).length === 0) this.#draft.clear();
    else this.#draft.write({ trackingCode: this.#request.tracking_code, typed, files });
  }

  /** @param {Action} action */
  #formOf(action) {
    const actionForm = this.#forms.find((each) => each.action === action);
    if (actionForm === undefined) throw new Error(`no form for ${action}`);
    return actionForm;
  }

  /**
   * Wait for the files of a reply, and check that all of them are uploaded.
   * @param {Action} action
   * @param {object} body
   */
  async #prepare(action, body) {
    if (action !== "reply") {
      this.#ask(action, body);
      return;
    }
    const actionForm = this.#formOf(action);
    if (this.#busy) return;
    this.#busy = true;
    actionForm.showBusy(true);
    await this.#files.settled();
    actionForm.showBusy(false);
    this.#busy = false;
    const { fault, ids } = this.#files;
    if (fault !== null) {
      actionForm.fields.show({ field: "files", message: fault });
      actionForm.fields.focus("files");
      return;
    }
    this.#ask(action, ids.length > 0 ? { ...body, files: ids } : body);
  }

  /**
   * @param {Action} action
   * @param {object} body
   */
  #ask(action, body) {
    if (this.#busy) return;
    block("confirm_question").textContent = words.actions.question[action] ?? "";
    block("confirm_consequence").textContent = words.actions.consequence[action] ?? "";
    button("confirm_yes").textContent = words.actions.yes[action] ?? "";
    this.#meant = () => void this.#act(action, body);
    this.#dialog.showModal();
  }

  /**
   * @param {Action} action
   * @param {object} body
   */
  async #act(action, body) {
    const actionForm = this.#formOf(action);
    if (this.#request === null || this.#busy) return;
    this.#busy = true;
    this.#error.hidden = true;
    actionForm.showBusy(true);
    try {
      const { token } = this.#request;
      const key = actionForm.key.for(body);
      const request = await this.connection.insist(() => actOn(actionForm.path, body, token, key));
      actionForm.forget();
      if (action === "reply") this.#files.clear({ areSent: true });
      this.#keep();
      this.show(request);
      const moved = block("moved");
      moved.textContent = words.actions.done[action] ?? "";
      moved.hidden = false;
    } catch (error) {
      this.#explain(actionForm, error);
    } finally {
      this.#busy = false;
      actionForm.showBusy(false);
    }
  }

  /**
   * @param {ActionForm} actionForm
   * @param {unknown} error
   */
  #explain(actionForm, error) {
    if (error instanceof Problem && !mayRetry(error)) actionForm.key.forget();
    if (error instanceof Problem && error.code === "attachment_unknown") this.#files.sendAgain();
    if (error instanceof Problem && error.errors.length > 0 && actionForm.explain(error)) return;
    const again = error instanceof Problem && [401, 409].includes(error.status);
    this.#error.replaceChildren(make("p", {}, inWords(error)), ...(again ? [make("p", {}, make("a", { href: "/track" }, words.actions.again))] : []));
    this.#error.hidden = false;
    this.#error.focus();
  }
}

/** @returns {HTMLDetailsElement[]} the part of the page of each action */
function parts() {
  return Array.from(block("request_actions").querySelectorAll("details[data-action]"));
}

/** One action and its form. */
class ActionForm {
  key = new IdempotencyKey();

  /**
   * @param {HTMLDetailsElement} details
   * @param {(body: object) => void} ask
   */
  constructor(details, ask) {
    const { action = "", path = "", needed = null } = details.dataset;
    this.details = details;
    this.action = action;
    this.path = path;
    this.needed = needed;
    this.form = byId(`${action}_form`, HTMLFormElement);
    this.submit = button(`${action}_submit`);
    this.idle = this.submit.textContent ?? "";
    this.fields = new Fields(this.form);
    this.form.addEventListener("input", ({ target }) => {
      const box = target instanceof Element ? target.closest("[data-field]") : null;
      if (box instanceof HTMLElement && box.dataset.field) this.fields.clear(box.dataset.field);
    });
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      const body = this.#read();
      if (body !== null) ask(body);
    });
  }

  /**
   * @param {boolean} allowed
   * @param {Action[]} all the allowed actions: a question must be answered first
   */
  offer(allowed, all) {
    this.details.hidden = !allowed;
    this.details.open = allowed && (this.action === "reply" || all.length === 1) && this.action !== "withdraw";
  }

  /** @param {boolean} busy */
  showBusy(busy) {
    this.submit.dataset.state = busy ? "busy" : "idle";
    this.submit.setAttribute("aria-disabled", String(busy));
    this.submit.textContent = busy ? words.actions.busy : this.idle;
  }

  forget() {
    this.key.forget();
    this.form.reset();
  }

  /**
   * @param {Problem} problem
   * @returns {boolean} whether every message has a field
   */
  explain(problem) {
    const known = problem.errors.map(({ field, message }) => ({ field: this.fields.named(field), message }));
    for (const { field, message } of known) if (field !== null) this.fields.show({ field, message });
    const first = known.find(({ field }) => field !== null)?.field;
    if (first) this.fields.focus(first);
    return known.every(({ field }) => field !== null);
  }

  /** @returns {Record<string, string | number> | null} the body; null if something is missing, which is shown */
  #read() {
    this.fields.clearAll();
    const { needed } = this;
    /** @type {Record<string, string | number>} */
    const body = {};
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value !== "string") continue; // files are uploaded separately
      const field = name.slice(this.action.length + 1);
      const text = value.trim();
      if (text !== "") body[field] = field === "rating" ? Number(text) : text;
    }
    if (needed === null || needed in body) return body;
    /** @type {Partial<Record<Action, string>>} */
    const missing = words.actions.missing;
    this.fields.show({ field: needed, message: missing[this.action] ?? "" });
    this.fields.focus(needed);
    return null;
  }
}
