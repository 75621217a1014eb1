/** One call of the desk: its headers, its time limit, and how it fails. */

import { readClock } from "./desk-clock.js";
import { Problem, Unreachable, readProblem } from "./problem.js";

const PATIENCE_MS = 30_000;

/**
 * Read a body of any length, as long as some of it arrives in time.
 * @param {Response} response
 * @param {() => void} progress called for each part
 * @returns {Promise<Blob>}
 */
export async function readBlob(response, progress) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const parts = [];
  const reader = response.body?.getReader();
  for (let part = await reader?.read(); part?.value; part = await reader?.read()) {
    parts.push(part.value);
    progress();
  }
  return new Blob(parts, { type: response.headers.get("Content-Type") ?? "" });
}

/**
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, token?: string, headers?: Record<string, string>, signal?: AbortSignal, read?: (response: Response, progress: () => void) => Promise<any> }} [options]  read: for a body that is not JSON
 * @returns {Promise<any>} the JSON of the answer, or what `read` returned
 * @throws {Problem | Unreachable | DOMException} the last one, an AbortError, only if the caller's signal aborts
 */
export async function ask(method, path, { body, token, headers = {}, signal, read } = {}) {
  const controller = new AbortController();
  const stop = () => controller.abort();
  let timer = setTimeout(stop, PATIENCE_MS);
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(stop, PATIENCE_MS);
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const response = await fetch(path, {
      method,
      headers: {
        Accept: "application/json",
        ...(body && { "Content-Type": "application/json" }),
        ...(token && { Authorization: `Bearer ${token}` }),
        ...headers,
      },
      body: body && JSON.stringify(body),
      signal: controller.signal,
      credentials: "same-origin",
    });
    readClock(response.headers.get("Date"), method);
    if (response.ok && read) return await read(response, wait);
    const text = await response.text();
    if (!response.ok) throw readProblem(response.status, text, response.headers.get("Retry-After"));
    return response.status === 204 ? undefined : JSON.parse(text);
  } catch (error) {
    if (error instanceof Problem) throw error;
    if (signal?.aborted) throw new DOMException("", "AbortError");
    throw new Unreachable(String(error));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}
