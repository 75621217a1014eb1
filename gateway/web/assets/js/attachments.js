/** The files of a request or a reply: each is uploaded as soon as it is chosen and the applicant is known. */

import { removeAttachment } from "./api.js";
import { fail, lose, uploadOwned } from "./attachment-item.js";
import { accepted, faultIn, nextToSend, overLimit, sentIds } from "./attachment-items.js";
import { AttachmentRow } from "./attachment-row.js";
import { checkFile, kindsInWords, sizeInWords } from "./attachment-rules.js";
import { block, input } from "./elements.js";
import { words } from "./words.js";

/** @typedef {import("./attachment-rules.js").FileLimits} FileLimits */
/** @typedef {import("./attachment-row.js").FileState} FileState */
/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./identity.js").Identified} Identified */
/** @typedef {import("./attachment-item.js").Item} Item */
/** @typedef {import("./attachment-item.js").KeptFile} KeptFile */
/** @typedef {import("./attachment-kinds.js").Kind} Kind */

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

  /** @type {Item | null} the lost file for which the picker was opened */
  #chosenFor = null;

  /**
   * @param {Kind} kind
   * @param {FileLimits} limits
   * @param {{ onChange: () => void, renewIdentity: () => Promise<Identified | null> }} listeners
   * @param {Connection} connection
   */
  constructor(kind, limits, { onChange, renewIdentity }, connection) {
    this.kind = kind;
    this.#input = input(kind.input);
    this.#list = block(kind.list);
    this.#news = block(kind.news);
    this.limits = limits;
    this.onChange = onChange;
    this.renewIdentity = renewIdentity;
    this.connection = connection;
    this.#input.addEventListener("change", () => {
      this.#add(Array.from(this.#input.files ?? []));
      this.#input.value = "";
    });
  }

  /** @param {FileLimits} limits */
  limitTo(limits) {
    this.limits = limits;
    this.#input.accept = [...limits.media_types, ...limits.extensions].join(",");
    block(this.kind.hint).textContent = words.attachments.hint(
      kindsInWords(limits.extensions),
      sizeInWords(limits.file_bytes_max),
      limits.files_max,
    );
  }

  /**
   * Set the owner of these files. Files that were uploaded for another person are uploaded again for this one.
   * @param {Identified | null} identified
   */
  belongTo(identified) {
    const before = this.#identified;
    this.#identified = identified;
    for (const item of this.#items) {
      if (item.state === "uploading" && identified?.pair !== before?.pair) item.abort?.();
      if (item.sent !== null && identified !== null && item.sent.pair !== identified.pair) this.#takeBack(item);
      if (item.state === "sent" || item.state === "waiting") {
        if (item.sent === null && item.file === null) lose(item, words.draft.lost);
        else item.state = item.sent === null || identified === null ? "waiting" : "sent";
      }
      this.#draw(item);
    }
    void this.#run();
  }

  /** Upload again the files that the desk no longer has. */
  sendAgain() {
    for (const item of this.#items.filter(({ state }) => state === "sent")) {
      this.#takeBack(item);
      if (item.file === null) lose(item, words.draft.unknown);
      else item.state = "waiting";
      this.#draw(item);
    }
    void this.#run();
  }

  /**
   * Start over.
   * @param {{ areSent: boolean }} fate  areSent: the uploads belong to a sent request; otherwise they are deleted
   */
  clear({ areSent }) {
    for (const item of this.#items.splice(0)) {
      item.abort?.();
      if (!areSent) this.#takeBack(item);
      item.row.root.remove();
    }
    this.#announce("");
    this.onChange();
  }

  /** @returns {KeptFile[]} for the next page; it receives the names of files, but not the files */
  get kept() {
    return accepted(this.#items).map(({ name, size, sent }) => ({ name, size, sent }));
  }

  /** @param {KeptFile[]} kept by the previous page */
  restore(kept) {
    for (const { name, size, sent } of kept) {
      const item = this.#enlist({ name, size, file: null, sent, state: "waiting", reason: "" });
      if (sent === null) lose(item, words.draft.lost);
      else if (this.#identified?.pair === sent.pair) item.state = "sent";
      this.#draw(item);
    }
  }

  /** @returns {string[]} the ids of the uploaded files */
  get ids() {
    return sentIds(this.#items);
  }

  /** @returns {string | null} what to correct before the request can be sent */
  get fault() {
    return faultIn(this.#items);
  }

  /** Whether uploads are in progress. */
  get isBusy() {
    return this.#running;
  }

  /** @returns {Promise<void>} when no upload is in progress any more */
  settled() {
    return this.#running ? new Promise((resolve) => this.#waiters.push(resolve)) : Promise.resolve();
  }

  /** @param {File[]} files */
  #add(files) {
    const wanted = this.#chosenFor;
    this.#chosenFor = null;
    for (const file of files) {
      const again = this.#items.find((item) => item.state === "lost" && item.name === file.name && item.size === file.size)
        ?? (files.length === 1 && wanted?.state === "lost" ? wanted : undefined);
      if (again !== undefined) this.#forgetRow(again);
      const reason = checkFile(file, this.limits, accepted(this.#items).length);
      const { name, size } = file;
      this.#enlist({ name, size, file, sent: null, state: reason === null ? "waiting" : "refused", reason: reason ?? "" });
      if (reason !== null) this.#announce(words.attachments.announceFailed(name, reason));
    }
    this.onChange();
    void this.#run();
  }

  /**
   * @param {Omit<Item, "abort" | "row">} entry
   * @returns {Item}
   */
  #enlist(entry) {
    /** @type {Item} */
    const item = { ...entry, abort: null, row: new AttachmentRow(entry) };
    item.row.remove.addEventListener("click", () => this.#remove(item));
    item.row.retry.addEventListener("click", () => {
      this.#turn(item, "waiting");
      item.row.remove.focus();
      void this.#run();
    });
    item.row.choose.addEventListener("click", () => {
      this.#chosenFor = item;
      this.#input.click();
    });
    this.#items.push(item);
    this.#list.append(item.row.root);
    this.#draw(item);
    return item;
  }

  /** @param {Item} item */
  #forgetRow(item) {
    this.#items.splice(this.#items.indexOf(item), 1);
    item.row.root.remove();
  }

  /** @param {Item} item */
  #remove(item) {
    const index = this.#items.indexOf(item);
    this.#forgetRow(item);
    item.abort?.();
    this.#takeBack(item);
    this.#announce(words.attachments.announceRemoved(item.name));
    (this.#items[Math.min(index, this.#items.length - 1)]?.row.remove ?? this.#input).focus();
    this.#readmit();
    this.onChange();
  }

  /** Files that exceeded the limit may fit now. */
  #readmit() {
    const item = overLimit(this.#items, this.limits.files_max);
    if (item === undefined) return;
    const reason = checkFile(item, this.limits, accepted(this.#items).length);
    item.state = reason === null ? "waiting" : "refused";
    item.reason = reason ?? "";
    this.#draw(item);
    void this.#run();
  }

  /** Upload one file after the other: on a slow connection two at a time would delay both. */
  async #run() {
    if (this.#running) return;
    this.#running = true;
    const next = () => (this.#identified === null ? undefined : nextToSend(this.#items));
    for (let item = next(); item !== undefined; item = next()) await this.#send(item);
    this.#running = false;
    for (const resolve of this.#waiters.splice(0)) resolve();
    this.onChange();
  }

  /** @param {Item} item */
  async #send(item) {
    const owner = this.#identified;
    if (owner === null) return;
    try {
      const { id, token } = await uploadOwned(this.kind.path, item, owner, this.connection, {
        isWanted: () => this.#items.includes(item) && this.#identified?.pair === owner.pair,
        onPart: (part) => this.#draw(item, part),
        onState: (state) => this.#turn(item, state),
        renewed: async () => (this.#identified?.token === owner.token ? this.renewIdentity() : this.#identified),
      });
      item.sent = { id, token, pair: owner.pair };
      if (!this.#items.includes(item)) this.#takeBack(item);
      else if (this.#identified === null) item.state = "waiting";
      else if (this.#identified.pair !== owner.pair) {
        this.#takeBack(item);
        item.state = "waiting";
      } else {
        item.state = "sent";
        this.#announce(words.attachments.announceSent(item.name));
      }
    } catch (error) {
      if (!this.#items.includes(item)) return;
      if (this.#identified?.pair !== owner.pair) item.state = "waiting";
      else {
        fail(item, error);
        this.#announce(words.attachments.announceFailed(item.name, item.reason));
      }
    } finally {
      item.abort = null;
      this.#draw(item);
      this.onChange();
    }
  }

  /**
   * Delete a file that is no longer wanted. If that fails, the desk deletes it later, because no request has claimed it.
   * @param {Item} item
   */
  #takeBack(item) {
    if (item.sent === null) return;
    const { id, pair, token } = item.sent;
    const newest = this.#identified?.pair === pair ? this.#identified.token : token;
    removeAttachment(this.kind.path, id, newest).catch(() => undefined);
    item.sent = null;
  }

  /**
   * @param {Item} item
   * @param {FileState} state
   */
  #turn(item, state) {
    item.state = state;
    this.#draw(item);
  }

  /** @param {string} news */
  #announce(news) {
    this.#news.textContent = news;
  }

  /**
   * @param {Item} item
   * @param {number} [part] uploaded share, 0 to 1
   */
  #draw({ state, reason, row }, part = 0) {
    row.draw(state, reason, { part, isOwned: this.#identified !== null });
  }
}
