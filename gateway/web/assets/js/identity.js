/** The applicant's identity in the civil registry: looked up once per pair of national ID and birth date. */

import { lookUpPerson } from "./api.js";
import { Problem } from "./problem.js";
import { inWords, mayRetry } from "./failure.js";
import { block, button, byId, input } from "./elements.js";
import { dayAndTimeOf, localOf } from "./tehran.js";
import { words } from "./words.js";
import { WorkFailed, solveProof, withProof } from "./work.js";

/** @typedef {import("./api.js").Person} Person */
/** @typedef {import("./api.js").PendingPerson} PendingPerson */
/** @typedef {import("./api.js").Gender} Gender */
/** @typedef {import("./problem.js").FieldError} FieldError */
/** @typedef {"idle" | "busy" | "matched" | "pending" | "refused" | "barred" | "failed"} IdentityState */
/** @typedef {{ pair: string, token: string }} Identified  pair: the person of the token */
/** @typedef {{ first_name: string, last_name: string, gender: Gender | "" }} TypedNames */
/** @typedef {{ status: number, title: string, code: string, errors: FieldError[] }} Refusal */
/**
 * What the next page need not look up again: the pair, the result of the registry, and the names in the form.
 * @typedef {{ nationalId: string, birthDate: string, person: Person | null, refusal: Refusal | null, names: TypedNames | null }} KeptIdentity
 */

/** Results that no later look-up will change: the registry knows the person, and refers them to another office. */
const BARS = ["identity_deceased", "identity_referred"];

/** @type {TypedNames} */
const NO_NAMES = { first_name: "", last_name: "", gender: "" };

/**
 * In HTML: `#identity` with `#identity_status`, `#identity_progress`, `#identity_retry`, the inputs `#first_name`,
 * `#last_name` and, within `#gender_read`, `#gender`; they are editable only while the identity is pending. Then
 * `#gender_choice` with the radio buttons `#gender_female` and `#gender_male` replaces `#gender_read`.
 */
export class Identity {
  #root = block("identity");

  #status = block("identity_status");

  #progress = byId("identity_progress", HTMLProgressElement);

  #retry = button("identity_retry");

  #first = input("first_name");

  #last = input("last_name");

  #genders = { female: input("gender_female"), male: input("gender_male") };

  /** @type {{ pair: string, names: TypedNames } | null} the last names, so that they need not be typed again after a renewal */
  #seen = null;

  /** @type {Map<string, Person | Problem>} results of look-ups; another look-up would count towards the rate limit */
  #known = new Map();

  /** @type {{ nationalId: string, birthDate: string } | null} */
  #asked = null;

  /** @type {Identified | null} */
  #identified = null;

  /** @type {Person | Problem | null} the result for the requested person */
  #outcome = null;

  /** @type {AbortController | null} */
  #call = null;

  /**
   * @param {{ onChange: () => void, onRefused: (errors: FieldError[]) => void }} listeners
   *   onChange: the state or the token has changed; onRefused: the desk reports errors in fields
   * @param {import("./connection.js").Connection} connection
   */
  constructor({ onChange, onRefused }, connection) {
    this.connection = connection;
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

  /** @returns {TypedNames | null} what the applicant has typed; null if the names come from the registry */
  get typed() {
    if (this.state !== "pending") return null;
    const gender = this.#genders.female.checked ? "female" : this.#genders.male.checked ? "male" : "";
    return { first_name: this.#first.value, last_name: this.#last.value, gender };
  }

  /** @returns {KeptIdentity | null} */
  get kept() {
    if (this.#asked === null) return null;
    const outcome = this.#outcome;
    const names = this.typed ?? (this.#seen?.pair === this.#pair() ? this.#seen.names : null);
    const { status = 0, title = "", code = "", errors = [] } = outcome instanceof Problem ? outcome : {};
    return {
      ...this.#asked,
      person: outcome instanceof Problem ? null : outcome,
      refusal: outcome instanceof Problem ? { status, title, code, errors } : null,
      names: names && { first_name: names.first_name, last_name: names.last_name, gender: names.gender },
    };
  }

  /**
   * Continue from the previous page: a second look-up would count towards the rate limit. A token that has expired
   * is renewed when it is refused.
   * @param {KeptIdentity} kept
   */
  restore({ nationalId, birthDate, person, refusal, names }) {
    const outcome = refusal === null ? person : new Problem(refusal.status, refusal, null);
    const pair = `${nationalId}|${birthDate}`;
    if (names !== null) this.#seen = { pair, names };
    if (outcome === null) return;
    this.#asked = { nationalId, birthDate };
    if (outcome instanceof Problem || outcome.status === "matched") this.#known.set(pair, outcome);
    this.#settle(outcome);
  }

  /** @returns {string} the last message for the applicant */
  get message() {
    return this.#status.textContent ?? "";
  }

  /**
   * Look this person up, unless that is done or in progress.
   * @param {string | null} nationalId null: incomplete or invalid
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
   * @returns {Promise<Identified | null>} null if that failed; the reason is shown
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
    this.#outcome = null;
    this.#show("idle", "", null);
  }

  async #lookUp(message = words.identity.busy) {
    if (this.#asked === null) return;
    this.#call?.abort();
    const call = new AbortController();
    this.#call = call;
    const pair = this.#pair();
    const asked = this.#asked;
    this.#outcome = null;
    this.#show("busy", message, null);
    try {
      const person = await this.connection.insist(() => this.#ask(asked, call.signal), { isWanted: () => !call.signal.aborted });
      if (call.signal.aborted) return;
      if (person.status === "matched") this.#known.set(pair, person); // the registry may be available next time
      this.#settle(person);
    } catch (error) {
      if (call.signal.aborted) return;
      if (error instanceof Problem && !mayRetry(error) && !isOfProof(error)) {
        this.#known.set(pair, error);
        this.#settle(error);
      } else this.#show("failed", error instanceof WorkFailed ? words.work.unable : inWords(error), null);
    }
  }

  /**
   * @param {{ nationalId: string, birthDate: string }} asked
   * @param {AbortSignal} signal
   */
  async #ask({ nationalId, birthDate }, signal) {
    const watch = { signal, onSlow: (/** @type {number} */ part) => this.#showWork(part) };
    return withProof(
      "identity",
      async (required) => {
        const proof = required ?? (await solveProof("identity", 0, watch));
        this.#progress.hidden = true;
        return lookUpPerson(nationalId, birthDate, proof, signal);
      },
      { ...watch, onRequired: () => this.#showWork(0, words.work.required) },
    );
  }

  /**
   * @param {number} part share of the work that is done
   * @param {string} [message]
   */
  #showWork(part, message = words.work.busy) {
    if (this.#progress.hidden) this.#status.textContent = message;
    this.#progress.hidden = false;
    this.#progress.value = part;
  }

  /** @param {Person | Problem} outcome */
  #settle(outcome) {
    this.#call?.abort();
    this.#outcome = outcome;
    if (!(outcome instanceof Problem)) {
      this.#show(outcome.status, outcome.status === "matched" ? words.identity.matched : whyPending(outcome), outcome);
      return;
    }
    const message = outcome.code === "identity_not_matched" ? words.identity.notMatched : inWords(outcome);
    this.#show(BARS.includes(outcome.code) ? "barred" : "refused", message, null);
    this.onRefused(outcome.errors);
  }

  /**
   * @param {IdentityState} state
   * @param {string} message
   * @param {Person | null} person
   */
  #show(state, message, person) {
    this.#remember();
    this.#root.dataset.state = state;
    this.#root.setAttribute("aria-busy", String(state === "busy"));
    this.#status.textContent = message;
    this.#status.hidden = message === "";
    this.#progress.hidden = true;
    this.#retry.hidden = !(state === "failed" || (person?.status === "pending" && person.reason === "unreachable"));
    this.#identified = person === null ? null : { pair: this.#pair(), token: person.token };
    this.#showNames(person);
    this.onChange();
  }

  /** Keep the current names, as long as it is the same person. */
  #remember() {
    if (this.#identified !== null && this.typed !== null) this.#seen = { pair: this.#identified.pair, names: this.typed };
  }

  /** @param {Person | null} person */
  #showNames(person) {
    const typable = person?.status === "pending";
    const pair = this.#pair();
    if (person?.status === "matched") this.#seen = { pair, names: person };
    const names = person !== null && this.#seen?.pair === pair ? this.#seen.names : NO_NAMES;
    this.#first.value = names.first_name;
    this.#last.value = names.last_name;
    for (const name of [this.#first, this.#last]) {
      name.readOnly = !typable;
      name.required = typable;
    }
    input("gender").value = names.gender === "" ? "" : words.identity[names.gender];
    this.#genders.female.checked = names.gender === "female";
    this.#genders.male.checked = names.gender === "male";
    block("gender_read").hidden = typable;
    block("gender_choice").hidden = !typable;
    block("identity_hint").textContent = typable ? words.identity.typeNames : words.identity.readNames;
  }
}

/**
 * @param {PendingPerson} person
 * @returns {string} why the registry is unavailable, and what will happen
 */
function whyPending({ reason, available_at }) {
  const say = words.identity.pending;
  const why = reason === "closed" && available_at !== null ? say.closedUntil(dayAndTimeOf(localOf(new Date(available_at)))) : say.why[reason] ?? say.why.unreachable;
  return `${why} ${reason === "foreign" ? say.thenForeign : say.then}`;
}

/**
 * Whether the proof of work was refused, for example because it was late: another one may pass.
 * @param {Problem} error
 */
function isOfProof(error) {
  return /^(?:captcha|proof)_/.test(error.code) || error.errors.some(({ field }) => field.startsWith("proof"));
}
