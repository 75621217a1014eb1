/** Says that the device is computing, and how far it is, for a form that sends a proof of work. */

import { block, byId } from "./elements.js";
import { words } from "./words.js";

/** In HTML: `#…_work_status` (role status) and `#…_work_progress`. */
export class WorkNotice {
  #status;

  #progress;

  /** @param {string} name the beginning of the elements' IDs */
  constructor(name) {
    this.#status = block(`${name}_work_status`);
    this.#progress = byId(`${name}_work_progress`, HTMLProgressElement);
  }

  /**
   * Options of `withProof` and `solveProof` that show the work here.
   * @returns {{ onRequired: () => void, onSlow: (part: number) => void }}
   */
  get watch() {
    return { onRequired: () => this.#show(0, words.work.required), onSlow: (part) => this.#show(part, words.work.busy) };
  }

  hide() {
    this.#progress.hidden = true;
    this.#status.textContent = "";
  }

  /**
   * @param {number} part
   * @param {string} message only shown if there is none
   */
  #show(part, message) {
    if (this.#progress.hidden) this.#status.textContent = message;
    this.#progress.hidden = false;
    this.#progress.value = part;
  }
}
