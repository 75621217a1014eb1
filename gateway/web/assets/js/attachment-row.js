/** One file in a list: its name, its progress, and the possible actions. */

import { sizeInWords } from "./attachment-rules.js";
import { make } from "./elements.js";
import { words } from "./words.js";

/**
 * refused: the same file will never be accepted; stalled: continues when the connection is back; lost: must be chosen again,
 * because this page does not have the file.
 * @typedef {"waiting" | "uploading" | "stalled" | "sent" | "failed" | "refused" | "lost"} FileState
 */
/** @typedef {{ name: string, size: number }} Named */

export class AttachmentRow {
  #status = make("span", { class: "file-status" });

  #progress;

  /** @param {Named} file */
  constructor({ name, size }) {
    this.#progress = make("progress", { max: "1", value: "0", "aria-label": words.attachments.progressOf(name) });
    this.retry = action(words.attachments.retry, name);
    this.choose = action(words.draft.chooseAgain, name);
    this.remove = action(words.attachments.remove, name);
    this.root = make(
      "li",
      { class: "file" },
      make(
        "div",
        { class: "file-text" },
        make("bdi", { class: "file-name" }, name),
        make("span", { class: "file-size" }, sizeInWords(size)),
        this.#status,
        this.#progress,
      ),
      make("div", { class: "file-actions" }, this.retry, this.choose, this.remove),
    );
  }

  /**
   * @param {FileState} state
   * @param {string} reason why it failed, was refused or is lost
   * @param {{ part?: number, isOwned: boolean }} circumstances  part: uploaded share, 0 to 1; isOwned: whether its owner is known
   */
  draw(state, reason, { part = 0, isOwned }) {
    const say = words.attachments;
    this.root.dataset.state = state;
    this.#progress.hidden = state !== "uploading";
    this.#progress.value = part;
    this.retry.hidden = state !== "failed";
    this.choose.hidden = state !== "lost";
    this.#status.textContent = {
      waiting: isOwned ? say.waiting : say.waitingIdentity,
      uploading: part >= 1 ? say.checking : say.uploading(Math.floor(part * 100)),
      stalled: words.draft.stalled,
      sent: say.sent,
      failed: reason,
      refused: reason,
      lost: reason,
    }[state];
  }
}

/**
 * @param {string} text
 * @param {string} fileName
 */
function action(text, fileName) {
  return make("button", { type: "button", class: "button-quiet" }, text, make("span", { class: "visually-hidden" }, ` ${fileName}`));
}
