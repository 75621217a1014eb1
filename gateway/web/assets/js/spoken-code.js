/** Plays a spoken security code, repeatedly if requested. */

import { fetchSound } from "./api.js";

export class SpokenCode {
  #audio = new Audio();

  #url = "";

  #turn = 0;

  /**
   * @param {string} path of the WAV; a later call replaces an earlier one
   * @throws {import("./problem.js").Problem | import("./problem.js").Unreachable}
   */
  async load(path) {
    this.forget();
    const turn = this.#turn;
    const wav = await fetchSound(path);
    if (turn !== this.#turn) return;
    this.#url = URL.createObjectURL(wav);
    this.#audio.src = this.#url;
  }

  /** @returns {Promise<boolean>} whether it plays: a browser may require a click first */
  async play() {
    this.#audio.currentTime = 0;
    try {
      await this.#audio.play();
      return true;
    } catch {
      return false;
    }
  }

  /** Stop playing and release the sound. */
  forget() {
    this.#turn += 1;
    this.#audio.pause();
    this.#audio.removeAttribute("src");
    if (this.#url !== "") URL.revokeObjectURL(this.#url);
    this.#url = "";
  }
}
