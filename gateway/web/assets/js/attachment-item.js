/** One file of a list: its data, and how it can fail. */

import { Problem } from "./problem.js";
import { inWords, mayRetry } from "./failure.js";
import { upload } from "./upload.js";
import { words } from "./words.js";

/** @typedef {import("./attachment-row.js").AttachmentRow} AttachmentRow */
/** @typedef {import("./attachment-row.js").FileState} FileState */
/** @typedef {{ id: string, pair: string, token: string }} SentFile  pair: the owner's national ID and birth date */
/** @typedef {{ name: string, size: number, sent: SentFile | null }} KeptFile */
/** @typedef {{ isWanted: () => boolean, onPart: (part: number) => void, onState: (state: FileState) => void }} UploadListeners */
/**
 * @typedef {object} Item
 * @property {string} name
 * @property {number} size
 * @property {File | null} file null: chosen on the previous page, which could not pass the file on
 * @property {FileState} state
 * @property {string} reason why it failed, was refused or is lost
 * @property {SentFile | null} sent
 * @property {(() => void) | null} abort
 * @property {AttachmentRow} row
 */

/**
 * The upload failed; show why.
 * @param {Item} item
 * @param {unknown} error
 */
export function fail(item, error) {
  const say = words.attachments;
  item.state = mayRetry(error) || (error instanceof Problem && error.status === 401) ? "failed" : "refused";
  if (!(error instanceof Problem)) item.reason = say.failed;
  else if (error.ours) item.reason = say.failedHere;
  else item.reason = error.errors[0]?.message || inWords(error);
}

/**
 * Neither this page nor the desk has the file any more: it must be chosen again.
 * @param {Item} item
 * @param {string} reason
 */
export function lose(item, reason) {
  item.state = "lost";
  item.reason = reason;
}

/**
 * Upload the file of an item, and repeat it after a lost connection.
 * @param {string} path
 * @param {Item} item
 * @param {string} token
 * @param {import("./connection.js").Connection} connection
 * @param {UploadListeners} listeners
 * @returns {Promise<{ id: string, token: string }>}
 */
function uploadItem(path, item, token, connection, { isWanted, onPart, onState }) {
  return connection.insist(async () => {
    if (item.file === null) throw new Error("there is no file to send");
    onState("uploading");
    const { done, abort } = upload(path, item.file, token, onPart);
    item.abort = abort;
    return { id: (await done).id, token };
  }, { isWanted, onCut: () => onState("stalled") });
}

/**
 * Upload the file of an item, and once more if the owner's identity token has expired.
 * @param {string} path
 * @param {Item} item
 * @param {import("./identity.js").Identified} owner
 * @param {import("./connection.js").Connection} connection
 * @param {UploadListeners & { renewed: () => Promise<import("./identity.js").Identified | null> }} listeners
 * @returns {Promise<{ id: string, token: string }>}
 */
export async function uploadOwned(path, item, owner, connection, { renewed, ...listeners }) {
  try {
    return await uploadItem(path, item, owner.token, connection, listeners);
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
    const newest = await renewed();
    if (newest === null || newest.pair !== owner.pair) throw error;
    return uploadItem(path, item, newest.token, connection, listeners);
  }
}
