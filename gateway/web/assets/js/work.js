/** Proof of work: no effort for a person, but costly for ten thousand attempts. */

import { newWork } from "./api.js";
import { millisecondsUntil } from "./desk-clock.js";
import { Problem, Unreachable } from "./problem.js";

/** @typedef {import("./api.js").Proof} Proof */
/** @typedef {import("./api.js").WorkPurpose} WorkPurpose */

/** Delay after which progress is shown. */
const SLOW_MS = 2_000;

/** How often a call is repeated with the proof that the desk requires for it. */
const REPEATS = 3;

/** This browser cannot do the work: it is too old, or the page was not loaded over HTTPS. */
export class WorkFailed extends Error {}

/**
 * @typedef {object} Watch
 * @property {AbortSignal} [signal]
 * @property {(part: number) => void} [onSlow] called after two seconds, with the share of the range that is done
 */

/**
 * Request work and do it in a web worker.
 * @param {WorkPurpose} purpose
 * @param {number} level each level doubles the work and the time after which the desk accepts it
 * @param {Watch} [watch]
 * @returns {Promise<Proof>} as soon as the work is done and the desk accepts it
 * @throws {Problem | Unreachable | DOMException | WorkFailed}
 */
export async function solveProof(purpose, level, { signal, onSlow = () => {} } = {}) {
  const begun = performance.now();
  const { id, challenge } = await newWork(purpose, level, signal);
  const worker = new Worker("/assets/js/work-worker.js");
  try {
    const [solution] = await Promise.all([
      new Promise((solved, failed) => {
        const stop = () => failed(new DOMException("", "AbortError"));
        if (signal?.aborted) stop();
        signal?.addEventListener("abort", stop, { once: true });
        worker.addEventListener("error", () => failed(noWorker()));
        worker.addEventListener("message", ({ data }) => {
          if (data.solution !== undefined) solved(data.solution);
          else if (data.failed !== undefined) failed(new WorkFailed(data.failed));
          else if (performance.now() - begun > SLOW_MS) onSlow(data.done / data.most);
        });
        worker.postMessage(challenge);
      }),
      challenge.usable_at === undefined ? undefined : pause(millisecondsUntil(challenge.usable_at)),
    ]);
    if (signal?.aborted) throw new DOMException("", "AbortError");
    return { id, solution };
  } finally {
    worker.terminate();
  }
}

/**
 * Make a call. While the desk requires a proof of work for it, solve one of the required level and repeat the call.
 * @template T
 * @param {WorkPurpose} purpose
 * @param {(proof: Proof | null) => Promise<T>} call
 * @param {Watch & { onRequired?: () => void, solve?: typeof solveProof }} [options] onRequired: a proof is required
 * @returns {Promise<T>} rejects with the desk's problem if the call still fails after three repeats
 */
export async function withProof(purpose, call, { onRequired = () => {}, solve = solveProof, ...watch } = {}) {
  /** @type {Proof | null} */
  let proof = null;
  for (let turn = 0; ; turn += 1) {
    try {
      return await call(proof);
    } catch (error) {
      if (!(error instanceof Problem) || error.proofLevel === null || turn === REPEATS) throw error;
      onRequired();
      proof = await solve(purpose, error.proofLevel, watch);
    }
  }
}

/** The script of the worker did not load: because of the browser, or because there is no connection. */
function noWorker() {
  return navigator.onLine === false ? new Unreachable("no worker without a connection") : new WorkFailed("the worker did not start");
}

/** @param {number} milliseconds */
function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}
