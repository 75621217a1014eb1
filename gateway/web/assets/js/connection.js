/** The line to the desk: notices when it is cut, looks for it, and lets what was waiting go on when it is back. */

import { Unreachable } from "./api.js";

/** Between two looks for the line. */
const PAUSES_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Before a call is made again on a line that is said to be there. Afterwards it is the applicant's to try again. */
const AGAIN_AFTER_MS = [300, 2_000, 5_000];

const PATIENCE_MS = 10_000;

/**
 * @typedef {object} Surroundings
 * @property {EventTarget} events where "online" and "offline" happen
 * @property {() => boolean} isOnline as far as the device knows; it may be wrong when it says yes
 * @property {() => Promise<boolean>} reach whether the desk answers at all
 * @property {(milliseconds: number) => Promise<void>} pause
 */

/** @type {Surroundings} */
const DEVICE = {
  events: globalThis.window ?? new EventTarget(),
  isOnline: () => navigator.onLine !== false,
  reach,
  pause: (milliseconds) => new Promise((resolve) => window.setTimeout(resolve, milliseconds)),
};

export class Connection {
  #surroundings;

  #onChange;

  #isCut = false;

  #isLooking = false;

  /** @type {(() => void)[]} */
  #waiters = [];

  /**
   * @param {(isCut: boolean) => void} onChange the line is cut, or back
   * @param {Surroundings} [surroundings]
   */
  constructor(onChange, surroundings = DEVICE) {
    this.#onChange = onChange;
    this.#surroundings = surroundings;
    surroundings.events.addEventListener("offline", () => void this.#look());
    if (!surroundings.isOnline()) void this.#look();
  }

  get isCut() {
    return this.#isCut;
  }

  /** @returns {Promise<void>} when the desk can be reached; at once if it can be now */
  back() {
    const found = new Promise((resolve) => this.#waiters.push(() => resolve(undefined)));
    void this.#look();
    return found.then(() => undefined);
  }

  /**
   * Make a call, and again whenever it got no answer, as soon as the line is back. Only for what may safely be done twice.
   * @template T
   * @param {() => Promise<T>} call
   * @param {{ onCut?: () => void, isWanted?: () => boolean }} [options] isWanted: whether to go on waiting
   * @returns {Promise<T>} rejects with Unreachable if the line is there and the call gets no answer all the same
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
        await this.#surroundings.pause(pause);
        if (!isWanted()) throw error;
      }
    }
  }

  async #look() {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { isOnline, reach: reaches } = this.#surroundings;
    for (let turn = 0; !isOnline() || !(await reaches()); turn += 1) {
      this.#tell(true);
      await this.#pause(PAUSES_MS[Math.min(turn, PAUSES_MS.length - 1)] ?? 0);
    }
    this.#isLooking = false;
    this.#tell(false);
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** @param {boolean} isCut */
  #tell(isCut) {
    if (isCut === this.#isCut) return;
    this.#isCut = isCut;
    this.#onChange(isCut);
  }

  /**
   * A pause that ends when the device says that it is online.
   * @param {number} milliseconds
   */
  async #pause(milliseconds) {
    const { events, pause } = this.#surroundings;
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

/** @returns {Promise<boolean>} whether anything answers, be it an error */
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
