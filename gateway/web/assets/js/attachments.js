/** The files of a request or a reply: each goes up on its own as soon as it is chosen and the applicant is known. */

import { Problem, removeAttachment } from "./api.js";
import { checkFile, kindsInWords, sizeInWords } from "./attachment-rules.js";
import { block, input, make } from "./elements.js";
import { inWords, mayRetry } from "./failure.js";
import { upload } from "./upload.js";
import { words } from "./words.js";

/** @typedef {import("./attachment-rules.js").FileLimits} FileLimits */
/** @typedef {import("./identity.js").Identified} Identified */
/** @typedef {"waiting" | "uploading" | "sent" | "failed" | "refused"} FileState  refused: the same file will never do */
/** @typedef {ReturnType<typeof row>} Row */
/**
 * @typedef {object} Item
 * @property {File} file
 * @property {FileState} state
 * @property {string} reason why it failed or was refused
 * @property {{ id: string, pair: string, token: string } | null} sent  pair: whom it belongs to
 * @property {(() => void) | null} abort
 * @property {Row} row
 */

/**
 * Which files they are: where they go, and the ids in HTML of the input, its hint, the list and the place for news.
 * @typedef {{ path: string, input: string, hint: string, list: string, news: string }} Kind
 */

/** @type {Kind} */
export const OF_A_REQUEST = {
  path: "/api/attachments",
  input: "attachments",
  hint: "attachments_hint",
  list: "attachment_list",
  news: "attachment_news",
};

/** @type {Kind} */
export const OF_A_REPLY = {
  path: "/api/files",
  input: "reply_files",
  hint: "reply_files_hint",
  list: "reply_file_list",
  news: "reply_file_news",
};

export class Attachments {
  #input;

  #list;

  #news;

  /** @type {Item[]} */
  #items = [];

  /** @type {Identified | null} */
  #identified = null;

  #running = false;

  /** @type {(() => void)[]} */
  #waiters = [];

  /**
   * @param {Kind} kind
   * @param {FileLimits} limits
   * @param {{ onChange: () => void, renewIdentity: () => Promise<Identified | null> }} listeners
   */
  constructor(kind, limits, { onChange, renewIdentity }) {
    this.kind = kind;
    this.#input = input(kind.input);
    this.#list = block(kind.list);
    this.#news = block(kind.news);
    this.limits = limits;
    this.onChange = onChange;
    this.renewIdentity = renewIdentity;
    this.#input.addEventListener("change", () => {
      this.#add(Array.from(this.#input.files ?? []));
      this.#input.value = "";
    });
  }

  /** @param {FileLimits} limits */
  limitTo(limits) {
    this.limits = limits;
    this.#input.accept = limits.extensions.join(",");
    block(this.kind.hint).textContent = words.attachments.hint(
      kindsInWords(limits.extensions),
      sizeInWords(limits.file_bytes_max),
      limits.files_max,
    );
  }

  /**
   * Say whose files these are. What went up for another person goes up again for this one.
   * @param {Identified | null} identified
   */
  belongTo(identified) {
    const before = this.#identified;
    this.#identified = identified;
    for (const item of this.#items) {
      if (item.state === "uploading" && identified?.pair !== before?.pair) item.abort?.();
      if (item.sent !== null && identified !== null && item.sent.pair !== identified.pair) this.#takeBack(item);
      if (item.state === "sent" || item.state === "waiting") item.state = item.sent === null || identified === null ? "waiting" : "sent";
      this.#draw(item);
    }
    void this.#run();
  }

  /** Send up again what the desk no longer knows. */
  sendAgain() {
    for (const item of this.#items.filter(({ state }) => state === "sent")) {
      this.#takeBack(item);
      item.state = "waiting";
      this.#draw(item);
    }
    void this.#run();
  }

  /** Begin anew: what was up belongs to what has been sent. */
  clear() {
    for (const item of this.#items.splice(0)) {
      item.abort?.();
      item.row.root.remove();
    }
    this.#tell("");
  }

  /** @returns {string[]} the ids of what is up */
  get ids() {
    return this.#items.flatMap((item) => (item.state === "sent" && item.sent !== null ? [item.sent.id] : []));
  }

  /** @returns {string | null} what to mend before the request can be sent */
  get fault() {
    return this.#items.some(({ state }) => state === "failed" || state === "refused") ? words.attachments.notSent : null;
  }

  /** Whether files are still on their way. */
  get isBusy() {
    return this.#running;
  }

  /** @returns {Promise<void>} when no file is on its way any more */
  settled() {
    return this.#running ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve();
  }

  /** @param {File[]} files */
  #add(files) {
    for (const file of files) {
      const reason = checkFile(file, this.limits, this.#items.filter(({ state }) => state !== "refused").length);
      /** @type {Item} */
      const item = { file, state: reason === null ? "waiting" : "refused", reason: reason ?? "", sent: null, abort: null, row: row(file) };
      item.row.remove.addEventListener("click", () => this.#remove(item));
      item.row.retry.addEventListener("click", () => {
        item.state = "waiting";
        this.#draw(item);
        item.row.remove.focus();
        void this.#run();
      });
      this.#items.push(item);
      this.#list.append(item.row.root);
      this.#draw(item);
      if (reason !== null) this.#tell(words.attachments.announceFailed(file.name, reason));
    }
    this.onChange();
    void this.#run();
  }

  /** @param {Item} item */
  #remove(item) {
    const index = this.#items.indexOf(item);
    this.#items.splice(index, 1);
    item.abort?.();
    this.#takeBack(item);
    item.row.root.remove();
    this.#tell(words.attachments.announceRemoved(item.file.name));
    (this.#items[Math.min(index, this.#items.length - 1)]?.row.remove ?? this.#input).focus();
    this.#readmit();
    this.onChange();
  }

  /** Files that were one too many may fit now. */
  #readmit() {
    const tooMany = words.attachments.tooMany(this.limits.files_max);
    const item = this.#items.find(({ state, reason }) => state === "refused" && reason === tooMany);
    if (item === undefined) return;
    const reason = checkFile(item.file, this.limits, this.#items.filter(({ state }) => state !== "refused").length);
    item.state = reason === null ? "waiting" : "refused";
    item.reason = reason ?? "";
    this.#draw(item);
    void this.#run();
  }

  /** One file after the other: on a slow line two at once only make both late. */
  async #run() {
    if (this.#running) return;
    this.#running = true;
    for (let item = this.#nextUp(); item !== undefined; item = this.#nextUp()) await this.#send(item);
    this.#running = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
    this.onChange();
  }

  /** @returns {Item | undefined} */
  #nextUp() {
    return this.#identified === null ? undefined : this.#items.find(({ state }) => state === "waiting");
  }

  /** @param {Item} item */
  async #send(item) {
    const owner = this.#identified;
    if (owner === null) return;
    item.state = "uploading";
    item.row.progress.value = 0;
    this.#draw(item);
    try {
      const { id, token } = await this.#up(item, owner);
      item.sent = { id, token, pair: owner.pair };
      if (!this.#items.includes(item)) this.#takeBack(item);
      else if (this.#identified === null) item.state = "waiting";
      else if (this.#identified.pair !== owner.pair) {
        this.#takeBack(item);
        item.state = "waiting";
      } else {
        item.state = "sent";
        this.#tell(words.attachments.announceSent(item.file.name));
      }
    } catch (error) {
      if (!this.#items.includes(item)) return;
      if (this.#identified?.pair !== owner.pair) item.state = "waiting";
      else this.#fail(item, error);
    } finally {
      item.abort = null;
      this.#draw(item);
    }
  }

  /**
   * @param {Item} item
   * @param {Identified} owner
   * @returns {Promise<{ id: string, token: string }>}
   */
  async #up(item, owner) {
    try {
      return await this.#once(item, owner.token);
    } catch (error) {
      if (!(error instanceof Problem && error.status === 401)) throw error;
      const renewed = this.#identified?.token === owner.token ? await this.renewIdentity() : this.#identified;
      if (renewed === null || renewed.pair !== owner.pair) throw error;
      return this.#once(item, renewed.token);
    }
  }

  /**
   * @param {Item} item
   * @param {string} token
   */
  async #once(item, token) {
    const { done, abort } = upload(this.kind.path, item.file, token, (part) => {
      item.row.progress.value = part;
      this.#draw(item);
    });
    item.abort = abort;
    const { id } = await done;
    return { id, token };
  }

  /**
   * @param {Item} item
   * @param {unknown} error
   */
  #fail(item, error) {
    const say = words.attachments;
    item.state = mayRetry(error) || (error instanceof Problem && error.status === 401) ? "failed" : "refused";
    if (!(error instanceof Problem)) item.reason = say.failed;
    else if (error.ours) item.reason = say.failedHere;
    // The ending of the name was checked here, so it is the content that the desk refuses.
    else if (error.status === 415) item.reason = say.lying;
    else item.reason = error.errors[0]?.message || inWords(error);
    this.#tell(say.announceFailed(item.file.name, item.reason));
  }

  /**
   * Tell the desk that a file is no longer wanted. If that fails, the desk sweeps it up itself: nobody has claimed it.
   * @param {Item} item
   */
  #takeBack(item) {
    if (item.sent === null) return;
    removeAttachment(this.kind.path, item.sent.id, item.sent.token).catch(() => undefined);
    item.sent = null;
  }

  /** @param {string} news */
  #tell(news) {
    this.#news.textContent = news;
  }

  /** @param {Item} item */
  #draw({ state, reason, row: { root, status, progress, retry } }) {
    const say = words.attachments;
    root.dataset.state = state;
    progress.hidden = state !== "uploading";
    retry.hidden = state !== "failed";
    status.textContent = {
      waiting: this.#identified === null ? say.waitingIdentity : say.waiting,
      uploading: progress.value >= 1 ? say.checking : say.uploading(Math.floor(progress.value * 100)),
      sent: say.sent,
      failed: reason,
      refused: reason,
    }[state];
  }
}

/** @param {File} file */
function row(file) {
  const name = make("bdi", { class: "file-name" }, file.name);
  const status = make("span", { class: "file-status" });
  const progress = make("progress", { max: "1", value: "0", "aria-label": words.attachments.progressOf(file.name) });
  const retry = action(words.attachments.retry, file.name);
  const remove = action(words.attachments.remove, file.name);
  const root = make(
    "li",
    { class: "file" },
    make("div", { class: "file-text" }, name, make("span", { class: "file-size" }, sizeInWords(file.size)), status, progress),
    make("div", { class: "file-actions" }, retry, remove),
  );
  return { root, status, progress, retry, remove };
}

/**
 * @param {string} text
 * @param {string} fileName
 */
function action(text, fileName) {
  return make("button", { type: "button", class: "button-quiet" }, text, make("span", { class: "visually-hidden" }, ` ${fileName}`));
}
