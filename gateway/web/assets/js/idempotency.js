/** The key that makes sending the same request twice the same as sending it once. */

/**
 * Keeps one key while the outcome of a request is unknown (the network failed, the desk was down) and its content stays
 * the same. A refusal or other content takes a new key. The security code is not content: it says nothing about what is asked.
 */
export class IdempotencyKey {
  /** @type {string | null} */
  #key = null;

  #content = "";

  /**
   * @param {object} content the request without its security code
   * @returns {string}
   */
  for(content) {
    const text = JSON.stringify(content);
    if (this.#key === null || text !== this.#content) {
      this.#key = randomUuid();
      this.#content = text;
    }
    return this.#key;
  }

  /** The desk has refused: nothing was stored under this key. */
  forget() {
    this.#key = null;
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
