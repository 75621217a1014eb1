/** What the tab keeps so that nothing is lost: one value in its session storage, gone with the tab. */

/** As long as the desk keeps files that no request has claimed. */
const KEPT_FOR_MS = 24 * 60 * 60 * 1_000;

/** @typedef {{ read: () => Storage, now: () => number }} Surroundings  read may throw: storage can be forbidden */

/** @type {Surroundings} */
const TAB = { read: () => window.sessionStorage, now: () => Date.now() };

/**
 * Full or forbidden storage loses what it should keep, and nothing else: no method throws.
 * @template T
 */
export class Draft {
  #name;

  #version;

  #isRight;

  #surroundings;

  /** @type {string | null} what stands in the storage as far as this page knows */
  #last = null;

  /**
   * @param {string} name
   * @param {number} version of the shape of what is kept; another one is forgotten
   * @param {(value: unknown) => value is T} isRight
   * @param {Surroundings} [surroundings]
   */
  constructor(name, version, isRight, surroundings = TAB) {
    this.#name = name;
    this.#version = version;
    this.#isRight = isRight;
    this.#surroundings = surroundings;
  }

  /** @returns {T | null} null if nothing is kept, or nothing that can be used */
  read() {
    const text = this.#attempt((storage) => storage.getItem(this.#name));
    const value = text === null ? null : this.#parsed(text);
    if (value === null && text !== null) this.clear();
    else this.#last = text;
    return value;
  }

  /** @param {T} value */
  write(value) {
    const text = JSON.stringify({ version: this.#version, at: this.#surroundings.now(), value });
    this.#last = this.#attempt((storage) => {
      storage.setItem(this.#name, text);
      return text;
    });
    if (this.#last === null) this.clear(); // rather nothing than what was typed before
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
      const age = this.#surroundings.now() - kept.at;
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
      return use(this.#surroundings.read());
    } catch {
      return null;
    }
  }
}
