/** One file being uploaded. Uses XMLHttpRequest, because fetch does not report the progress of an upload. */

import { Unreachable, readProblem } from "./problem.js";

/** @typedef {import("./api.js").Attachment} Attachment */

/** A connection without data for this long counts as broken. */
const STALLED_MS = 60_000;

/**
 * @param {string} path for files of this kind
 * @param {File} file
 * @param {string} token
 * @param {(part: number) => void} onProgress uploaded share, 0 to 1
 * @returns {{ done: Promise<Attachment>, abort: () => void }} done rejects with Problem or Unreachable
 */
export function upload(path, file, token, onProgress) {
  const call = new XMLHttpRequest();
  let timer = 0;
  const alive = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => call.abort(), STALLED_MS);
  };
  const done = new Promise((resolve, reject) => {
    call.upload.addEventListener("progress", (event) => {
      alive();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    });
    call.addEventListener("load", () => {
      if (call.status === 201 || call.status === 200) resolve(JSON.parse(call.responseText));
      else reject(readProblem(call.status, call.responseText, call.getResponseHeader("Retry-After")));
    });
    for (const event of ["error", "abort"]) call.addEventListener(event, () => reject(new Unreachable(event)));
    call.addEventListener("loadend", () => clearTimeout(timer));
  });
  const form = new FormData();
  form.append("file", file, file.name);
  call.open("POST", path);
  call.setRequestHeader("Accept", "application/json");
  call.setRequestHeader("Authorization", `Bearer ${token}`);
  call.send(form);
  alive();
  return { done, abort: () => call.abort() };
}
