/** Who the applicant is, by the civil registry: looked up once per pair of national ID and birth date. */

import { Problem, lookUpPerson } from "./api.js";
import { inWords, mayRetry } from "./failure.js";
import { block, button, byId, input } from "./elements.js";
import { words } from "./words.fa.js";
import { WorkFailed, prove } from "./work.js";

/** @typedef {import("./api.js").Person} Person */
/** @typedef {import("./api.js").FieldError} FieldError */
/** @typedef {"idle" | "busy" | "matched" | "pending" | "refused" | "failed"} IdentityState */
/** @typedef {{ pair: string, token: string }} Identified  pair: whose token it is */

/**
 * In HTML: `#identity` around `#identity_status`, `#identity_progress`, `#identity_retry` and the read-only inputs
 * `#first_name`, `#last_name` and `#gender`.
 */
export class Identity {
  #root = block("identity");

  #status = block("identity_status");

  #progress = byId("identity_progress", HTMLProgressElement);

  #retry = button("identity_retry");

  /** @type {Map<string, Person | Problem>} what the registry has said; asking again would cost the source's budget */
  #known = new Map();

  /** @type {{ nationalId: string, birthDate: string } | null} */
  #asked = null;

  /** @type {Identified | null} */
  #identified = null;

  /** @type {AbortController | null} */
  #call = null;

  /**
   * @param {{ onChange: () => void, onRefused: (errors: FieldError[]) => void }} listeners
   *   onChange: the state or the token is another; onRefused: the desk has named fields to mend
   */
  constructor({ onChange, onRefused }) {
    this.onChange = onChange;
    this.onRefused = onRefused;
    this.#retry.addEventListener("click", () => void this.#lookUp());
  }

  /** @returns {IdentityState} */
  get state() {
    return /** @type {IdentityState} */ (this.#root.dataset.state ?? "idle");
  }

  /** @returns {Identified | null} */
  get identified() {
    return this.#identified;
  }

  /** @returns {string} what the applicant was told last */
  get message() {
    return this.#status.textContent ?? "";
  }

  /**
   * Look this person up, unless that is done or under way.
   * @param {string | null} nationalId null: not complete or not right
   * @param {string | null} birthDate
   */
  consider(nationalId, birthDate) {
    if (nationalId === null || birthDate === null) {
      if (this.#asked !== null || this.state !== "idle") this.#reset();
      return;
    }
    if (this.#asked?.nationalId === nationalId && this.#asked.birthDate === birthDate) return;
    this.#asked = { nationalId, birthDate };
    const known = this.#known.get(this.#pair());
    if (known === undefined) void this.#lookUp();
    else this.#settle(known);
  }

  /**
   * Get a new token for the same person, because the old one has expired.
   * @returns {Promise<Identified | null>} null if that failed; the applicant has been told why
   */
  async renew() {
    await this.#lookUp(words.identity.renewing);
    return this.#identified;
  }

  #pair() {
    return `${this.#asked?.nationalId}|${this.#asked?.birthDate}`;
  }

  #reset() {
    this.#call?.abort();
    this.#asked = null;
    this.#show("idle", "", null);
  }

  async #lookUp(message = words.identity.busy) {
    if (this.#asked === null) return;
    this.#call?.abort();
    const call = new AbortController();
    this.#call = call;
    const pair = this.#pair();
    this.#show("busy", message, null);
    try {
      const { nationalId, birthDate } = this.#asked;
      const proof = await prove(call.signal, (part) => this.#showWork(part));
      if (call.signal.aborted) return;
      this.#progress.hidden = true;
      const person = await lookUpPerson(nationalId, birthDate, proof, call.signal);
      if (call.signal.aborted) return;
      this.#known.set(pair, person);
      this.#settle(person);
    } catch (error) {
      if (call.signal.aborted) return;
      if (error instanceof Problem && !mayRetry(error) && !isOfProof(error)) {
        this.#known.set(pair, error);
        this.#settle(error);
      } else this.#show("failed", error instanceof WorkFailed ? words.identity.cannotWork : inWords(error), null);
    }
  }

  /** @param {number} part of the work that is done */
  #showWork(part) {
    if (this.#progress.hidden) this.#status.textContent = words.identity.working;
    this.#progress.hidden = false;
    this.#progress.value = part;
  }

  /** @param {Person | Problem} outcome */
  #settle(outcome) {
    this.#call?.abort();
    if (!(outcome instanceof Problem)) {
      this.#show(outcome.status, words.identity[outcome.status], outcome);
      return;
    }
    const message = outcome.code === "identity_not_matched" ? words.identity.notMatched : inWords(outcome);
    this.#show("refused", message, null);
    this.onRefused(outcome.errors);
  }

  /**
   * @param {IdentityState} state
   * @param {string} message
   * @param {Person | null} person
   */
  #show(state, message, person) {
    this.#root.dataset.state = state;
    this.#root.setAttribute("aria-busy", String(state === "busy"));
    this.#status.textContent = message;
    this.#status.hidden = message === "";
    this.#progress.hidden = true;
    this.#retry.hidden = state !== "failed";
    input("first_name").value = person?.first_name ?? "";
    input("last_name").value = person?.last_name ?? "";
    input("gender").value = person?.gender ? words.identity[person.gender] : "";
    this.#identified = person === null ? null : { pair: this.#pair(), token: person.token };
    this.onChange();
  }
}

/**
 * Whether it is the proof of work that was refused, such as one that came too late: another one may pass.
 * @param {Problem} error
 */
function isOfProof(error) {
  return /^(?:captcha|proof)_/.test(error.code) || error.errors.some(({ field }) => field.startsWith("proof"));
}
