/** What an applicant may do about a request, each after a question whether it is meant. */

import { actOn, fetchCatalog, Problem, Unreachable } from "./api.js";
import { USUAL_FILE_LIMITS } from "./attachment-rules.js";
import { OF_A_REPLY } from "./attachment-kinds.js";
import { Attachments } from "./attachments.js";
import { block, button, byId, make } from "./elements.js";
import { inWords, mayRetry } from "./failure.js";
import { Fields } from "./fields.js";
import { IdempotencyKey } from "./idempotency.js";
import { movesDraft, typeInto, typedIn } from "./moves-draft.js";
import { dayOf } from "./tehran.js";
import { words } from "./words.js";
import { showWritten } from "./written.js";

/** @typedef {import("./api.js").Action} Action */
/** @typedef {import("./api.js").TrackedRequest} TrackedRequest */

/** @type {Action[]} */
const ACTIONS = ["reply", "rate", "object", "withdraw"];

/** What must be there before anything is asked. @type {Record<Action, string | null>} */
const NEEDED = { reply: "text", rate: "rating", object: "text", withdraw: null };

/** In HTML: `#moves` with `#move_…`, `#…_form` and `#…_submit` of each action, and the dialog `#confirm`. */
export class Moves {
  #moves = ACTIONS.map((action) => new Move(action, (body) => void this.#prepare(action, body)));

  #draft = movesDraft();

  #files;

  #error = block("moves_error");

  #dialog = byId("confirm", HTMLDialogElement);

  /** @type {TrackedRequest | null} */
  #request = null;

  /** @type {(() => void) | null} */
  #meant = null;

  #busy = false;

  /**
   * @param {(request: TrackedRequest) => void} show shows the request after something was done
   * @param {import("./connection.js").Connection} connection
   */
  constructor(show, connection) {
    this.show = show;
    this.connection = connection;
    this.#files = new Attachments(OF_A_REPLY, USUAL_FILE_LIMITS, {
      onChange: () => {
        if (this.#files.fault === null) this.#move("reply").fields.clear("files");
        this.#keep();
      },
      // The page's proof cannot be renewed without the security code: the file says that it is to be opened again.
      renewIdentity: async () => null,
    }, connection);
    for (const { form } of this.#moves) form.addEventListener("input", () => this.#keep());
    button("confirm_yes").addEventListener("click", () => {
      this.#dialog.close();
      this.#meant?.();
    });
    button("confirm_no").addEventListener("click", () => this.#dialog.close());
  }

  /** @param {TrackedRequest} request */
  offer(request) {
    const kept = this.#request === null ? this.#draft.read() : null; // before anything is kept of this page
    this.#request = request;
    this.#error.hidden = true;
    block("moves").hidden = request.actions.length === 0;
    for (const move of this.#moves) move.offer(request.actions.includes(move.action), request.actions);
    if (request.actions.includes("reply")) void this.#showLimits();
    this.#files.belongTo(request.actions.includes("reply") ? { pair: request.tracking_code, token: request.token } : null);
    const questions = request.history.filter((step) => step.state === "info_requested" && step.note !== null);
    showWritten(block("question"), questions[questions.length - 1]?.note ?? "");
    block("objection_until").textContent = request.objection_until_local === null ? "" : words.moves.objectionUntil(dayOf(request.objection_until_local));
    if (kept?.trackingCode === request.tracking_code) this.#restore(kept, request);
  }

  /**
   * @param {import("./moves-draft.js").KeptMoves} kept
   * @param {TrackedRequest} request
   */
  #restore(kept, request) {
    for (const { action, form, details } of this.#moves) {
      typeInto(form, kept.typed);
      if (request.actions.includes(action) && Object.keys(typedIn(form)).length > 0) details.open = true;
    }
    if (request.actions.includes("reply")) this.#files.restore(kept.files);
    this.#keep();
  }

  /** Show the limits of the catalogue. Without the catalogue the usual ones hold, and the desk checks each file again. */
  async #showLimits() {
    try {
      this.#files.limitTo((await this.connection.insist(fetchCatalog)).limits);
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    }
  }

  /** Keep what stands in the forms now. */
  #keep() {
    if (this.#request === null) return;
    const typed = Object.assign({}, ...this.#moves.map(({ form }) => typedIn(form)));
    const files = this.#files.kept;
    if (files.length === 0 && Object.keys(typed).length === 0) this.#draft.clear();
    else this.#draft.write({ trackingCode: this.#request.tracking_code, typed, files });
  }

  /** @param {Action} action */
  #move(action) {
    const move = this.#moves.find((each) => each.action === action);
    if (move === undefined) throw new Error(`no move ${action}`);
    return move;
  }

  /**
   * Wait for the files of a reply, and see that all of them are up.
   * @param {Action} action
   * @param {object} body
   */
  async #prepare(action, body) {
    if (action !== "reply") {
      this.#ask(action, body);
      return;
    }
    const move = this.#move(action);
    if (this.#busy) return;
    this.#busy = true;
    move.showBusy(true);
    await this.#files.settled();
    move.showBusy(false);
    this.#busy = false;
    const { fault, ids } = this.#files;
    if (fault !== null) {
      move.fields.show({ field: "files", message: fault });
      move.fields.focus("files");
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
    block("confirm_question").textContent = words.moves.question[action] ?? "";
    block("confirm_consequence").textContent = words.moves.consequence[action] ?? "";
    button("confirm_yes").textContent = words.moves.yes[action] ?? "";
    this.#meant = () => void this.#act(action, body);
    this.#dialog.showModal();
  }

  /**
   * @param {Action} action
   * @param {object} body
   */
  async #act(action, body) {
    const move = this.#move(action);
    if (this.#request === null || this.#busy) return;
    this.#busy = true;
    this.#error.hidden = true;
    move.showBusy(true);
    try {
      const { token } = this.#request;
      const key = move.key.for(body);
      const request = await this.connection.insist(() => actOn(action, body, token, key));
      move.forget();
      if (action === "reply") this.#files.clear({ areSent: true });
      this.#keep();
      this.show(request);
      const moved = block("moved");
      moved.textContent = words.moves.done[action] ?? "";
      moved.hidden = false;
    } catch (error) {
      this.#explain(move, error);
    } finally {
      this.#busy = false;
      move.showBusy(false);
    }
  }

  /**
   * @param {Move} move
   * @param {unknown} error
   */
  #explain(move, error) {
    if (error instanceof Problem && !mayRetry(error)) move.key.forget();
    if (error instanceof Problem && error.code === "attachment_unknown") this.#files.sendAgain();
    if (error instanceof Problem && error.errors.length > 0 && move.explain(error)) return;
    const again = error instanceof Problem && [401, 409].includes(error.status);
    this.#error.replaceChildren(make("p", {}, inWords(error)), ...(again ? [make("p", {}, make("a", { href: "/track" }, words.moves.again))] : []));
    this.#error.hidden = false;
    this.#error.focus();
  }
}

/** One action and its form. */
class Move {
  key = new IdempotencyKey();

  /**
   * @param {Action} action
   * @param {(body: object) => void} ask
   */
  constructor(action, ask) {
    this.action = action;
    this.details = byId(`move_${action}`, HTMLDetailsElement);
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
   * @param {Action[]} all what else is allowed: a question is answered before anything else
   */
  offer(allowed, all) {
    this.details.hidden = !allowed;
    this.details.open = allowed && (this.action === "reply" || all.length === 1) && this.action !== "withdraw";
  }

  /** @param {boolean} busy */
  showBusy(busy) {
    this.submit.dataset.state = busy ? "busy" : "idle";
    this.submit.setAttribute("aria-disabled", String(busy));
    this.submit.textContent = busy ? words.moves.busy : this.idle;
  }

  forget() {
    this.key.forget();
    this.form.reset();
  }

  /**
   * @param {Problem} problem
   * @returns {boolean} whether every message has found its field
   */
  explain(problem) {
    const known = problem.errors.map(({ field, message }) => ({ field: this.fields.named(field), message }));
    for (const { field, message } of known) if (field !== null) this.fields.show({ field, message });
    const first = known.find(({ field }) => field !== null)?.field;
    if (first) this.fields.focus(first);
    return known.every(({ field }) => field !== null);
  }

  /** @returns {Record<string, string | number> | null} what is sent; null if something is missing, which is shown */
  #read() {
    this.fields.clearAll();
    const needed = NEEDED[this.action];
    /** @type {Record<string, string | number>} */
    const body = {};
    for (const [name, value] of new FormData(this.form)) {
      if (typeof value !== "string") continue; // files have gone up by themselves
      const field = name.slice(this.action.length + 1);
      const text = value.trim();
      if (text !== "") body[field] = field === "rating" ? Number(text) : text;
    }
    if (needed === null || needed in body) return body;
    /** @type {Partial<Record<Action, string>>} */
    const missing = words.moves.missing;
    this.fields.show({ field: needed, message: missing[this.action] ?? "" });
    this.fields.focus(needed);
    return null;
  }
}
