/** What the tab stores so that no input is lost: one value in its session storage, deleted with the tab. */

/** As long as the desk keeps files that no request has claimed. */
const KEPT_FOR_MS = 24 * 60 * 60 * 1_000;

/** @typedef {{ read: () => Storage, now: () => number }} Environment  read may throw: storage can be forbidden */

/** @type {Environment} */
const TAB = { read: () => window.sessionStorage, now: () => Date.now() };

/**
 * Full or forbidden storage only loses the draft: no method throws.
 * @template T
 */
export class Draft {
  #name;

  #version;

  #isRight;

  #environment;

  /** @type {string | null} the stored value as far as this page knows */
  #last = null;

  /**
   * @param {string} name
   * @param {number} version of the shape of the value; other versions are ignored
   * @param {(value: unknown) => value is T} isRight
   * @param {Environment} [environment]
   */
  constructor(name, version, isRight, environment = TAB) {
    this.#name = name;
    this.#version = version;
    this.#isRight = isRight;
    this.#environment = environment;
  }

  /** @returns {T | null} null if nothing usable is stored */
  read() {
    const text = this.#attempt((storage) => storage.getItem(this.#name));
    const value = text === null ? null : this.#parsed(text);
    if (value === null && text !== null) this.clear();
    else this.#last = text;
    return value;
  }

  /** @param {T} value */
  write(value) {
    const text = JSON.stringify({ version: this.#version, at: this.#environment.now(), value });
    this.#last = this.#attempt((storage) => {
      storage.setItem(this.#name, text);
      return text;
    });
    if (this.#last === null) this.clear(); // no draft is better than an outdated one
  }

  clear() {
    this.#last = null;
    this.#attempt((storage) => storage.removeItem(this.#name));
  }

  /** Whether another page of this tab has written or cleared it since. */
  get isOther() {
    return this.#attempt((storage) => storage.getItem(this.#name)) !== this.#last;
  }

  /**
   * @param {string} text
   * @returns {T | null}
   */
  #parsed(text) {
    try {
      const kept = JSON.parse(text);
      const age = this.#environment.now() - kept.at;
      return kept.version === this.#version && age < KEPT_FOR_MS && this.#isRight(kept.value) ? kept.value : null;
    } catch {
      return null;
    }
  }

  /**
   * @template R
   * @param {(storage: Storage) => R} use
   * @returns {R | null}
   */
  #attempt(use) {
    try {
      return use(this.#environment.read());
    } catch {
      return null;
    }
  }
}
