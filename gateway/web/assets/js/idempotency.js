/** The key that makes repeated sending of a request equal to sending it once. */

/** @typedef {{ key: string, content: string }} Attempt  content: the JSON of what the key stands for */

/**
 * Keeps one key while the outcome of a request is unknown (the network failed, the desk was unavailable) and its content
 * stays the same. A refusal or other content takes a new key. The codes are not part of the content.
 */
export class IdempotencyKey {
  /** @type {Attempt | null} */
  #attempt;

  /** Whether the outcome of the attempt is unknown. */
  #isOpen = true;

  /** @param {Attempt | null} [attempt] with an unknown outcome, from the previous page */
  constructor(attempt = null) {
    this.#attempt = attempt;
  }

  /**
   * @param {object} content the request without its security code
   * @returns {string}
   */
  for(content) {
    const text = JSON.stringify(content);
    if (text !== this.#attempt?.content) this.#attempt = { key: randomUuid(), content: text };
    this.#isOpen = true;
    return this.#attempt.key;
  }

  /** @returns {Attempt | null} a sent request with an unknown outcome */
  get attempt() {
    return this.#isOpen ? this.#attempt : null;
  }

  /** The desk has refused one of the codes only: nothing was stored, and the other code is still right for this key. */
  keepForCodes() {
    this.#isOpen = false;
  }

  /** The desk has refused: nothing was stored with this key. */
  forget() {
    this.#attempt = null;
  }
}

/** @returns {string} a version 4 UUID, also where crypto.randomUUID is missing */
export function randomUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
