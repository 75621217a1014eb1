/** Proof of work before a look-up: no effort for a person, but costly for ten thousand look-ups. */

import { newWork } from "./api.js";

/** @typedef {import("./api.js").Proof} Proof */

/** Delay after which progress is shown. */
const SLOW_MS = 2_000;

/** This browser cannot do the work: it is too old, or the page was not loaded over HTTPS. */
export class WorkFailed extends Error {}

/**
 * Request work and do it in a web worker.
 * @param {AbortSignal} signal
 * @param {(part: number) => void} onSlow called after the first second, with the share of the range that is done
 * @returns {Promise<Proof>}
 * @throws {import("./api.js").Problem | import("./api.js").Unreachable | DOMException | WorkFailed}
 */
export async function prove(signal, onSlow) {
  const begun = performance.now();
  const { id, challenge } = await newWork(signal);
  const worker = new Worker("/assets/js/work-worker.js");
  try {
    const solution = await new Promise((solved, failed) => {
      const stop = () => failed(new DOMException("", "AbortError"));
      if (signal.aborted) stop();
      signal.addEventListener("abort", stop, { once: true });
      worker.addEventListener("error", () => failed(new WorkFailed("the worker did not start")));
      worker.addEventListener("message", ({ data }) => {
        if (data.solution !== undefined) solved(data.solution);
        else if (data.failed !== undefined) failed(new WorkFailed(data.failed));
        else if (performance.now() - begun > SLOW_MS) onSlow(data.done / data.most);
      });
      worker.postMessage(challenge);
    });
    return { id, solution };
  } finally {
    worker.terminate();
  }
}
