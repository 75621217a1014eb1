/** The connection to the desk: detects its loss, checks for its return, and then resumes waiting calls. */

import { Unreachable } from "./problem.js";

/** Pause between two checks. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Pauses before a call is repeated on a connection that is reported as working. Afterwards the applicant must retry. */
const AGAIN_AFTER_MS = [300, 2_000, 5_000];

const PATIENCE_MS = 10_000;

/**
 * @typedef {object} Environment
 * @property {EventTarget} events the target of "online" and "offline"
 * @property {() => boolean} isOnline as far as the device knows; true may be wrong
 * @property {() => Promise<boolean>} reach whether the desk responds
 * @property {(milliseconds: number) => Promise<void>} pause
 */

/** @type {Environment} */
const DEVICE = {
  events: globalThis.window ?? new EventTarget(),
  isOnline: () => navigator.onLine !== false,
  reach,
  pause: (milliseconds) => new Promise((resolve) => window.setTimeout(resolve, milliseconds)),
};

export class Connection {
  #environment;

  #onChange;

  #isCut = false;

  #isLooking = false;

  /** @type {(() => void)[]} */
  #waiters = [];

  /**
   * @param {(isCut: boolean) => void} onChange the connection is lost, or back
   * @param {Environment} [environment]
   */
  constructor(onChange, environment = DEVICE) {
    this.#onChange = onChange;
    this.#environment = environment;
    environment.events.addEventListener("offline", () => void this.#look());
    if (!environment.isOnline()) void this.#look();
  }

  get isCut() {
    return this.#isCut;
  }

  /** @returns {Promise<void>} when the desk can be reached; immediately if it can be now */
  back() {
    const found = new Promise((resolve) => this.#waiters.push(() => resolve(undefined)));
    void this.#look();
    return found.then(() => undefined);
  }

  /**
   * Make a call, and repeat it without a response as soon as the connection is back. Only for calls that are safe to repeat.
   * @template T
   * @param {() => Promise<T>} call
   * @param {{ onCut?: () => void, isWanted?: () => boolean }} [options] isWanted: whether to go on waiting
   * @returns {Promise<T>} rejects with Unreachable if the connection works and the call still gets no response
   */
  async insist(call, { onCut = () => {}, isWanted = () => true } = {}) {
    for (let turn = 0; ; turn += 1) {
      try {
        return await call();
      } catch (error) {
        const pause = AGAIN_AFTER_MS[turn];
        if (!(error instanceof Unreachable) || pause === undefined || !isWanted()) throw error;
        onCut();
        await this.back();
        await this.#environment.pause(pause);
        if (!isWanted()) throw error;
      }
    }
  }

  async #look() {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { isOnline, reach: reaches } = this.#environment;
    for (let turn = 0; !isOnline() || !(await reaches()); turn += 1) {
      this.#report(true);
      await this.#pause(PAUSES_MS[Math.min(turn, PAUSES_MS.length - 1)] ?? 0);
    }
    this.#isLooking = false;
    this.#report(false);
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** @param {boolean} isCut */
  #report(isCut) {
    if (isCut === this.#isCut) return;
    this.#isCut = isCut;
    this.#onChange(isCut);
  }

  /**
   * A pause that ends when the device says that it is online.
   * @param {number} milliseconds
   */
  async #pause(milliseconds) {
    const { events, pause } = this.#environment;
    /** @type {() => void} */
    let end = () => {};
    const online = new Promise((resolve) => {
      end = () => resolve(undefined);
      events.addEventListener("online", end, { once: true });
    });
    await Promise.race([online, pause(milliseconds)]);
    events.removeEventListener("online", end);
  }
}

/** @returns {Promise<boolean>} whether there is a response, even an error */
async function reach() {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), PATIENCE_MS);
  try {
    await fetch("/assets/icons/mark.svg", { cache: "no-store", credentials: "same-origin", signal: controller.signal });
    return true;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
