/** The two ways in which a call of the desk can fail. */

import { named } from "./words.js";

/** @typedef {{ field: string, code: string, message: string }} FieldError */

/** The desk has answered with an error (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status
   * @param {{ title?: unknown, code?: unknown, errors?: unknown, level?: unknown }} body
   * @param {string | null} retryAfter seconds, as in the header
   */
  constructor(status, body, retryAfter) {
    const code = typeof body.code === "string" ? body.code : "";
    super(named("problems", code, typeof body.title === "string" ? body.title : ""));
    this.status = status;
    this.code = code;
    /** @type {FieldError[]} */
    const errors = Array.isArray(body.errors) ? body.errors : [];
    this.errors = errors.map((error) => ({ ...error, message: named("problems", error.code, error.message) }));
    this.retryAfter = Number(retryAfter) > 0 ? Number(retryAfter) : null;
    /** The level of the proof of work that the desk requires for this call; null if none would help. */
    this.proofLevel = code === "proof_required" && typeof body.level === "number" ? body.level : null;
  }

  /** The message for the applicant, from the desk; empty if the response has none. */
  get title() {
    return this.message;
  }

  /** Whether the desk failed, so that the same call may succeed later. */
  get ours() {
    return this.status >= 500;
  }
}

/** No response: no network, or a time-out. It is unknown whether the desk has acted. */
export class Unreachable extends Error {}

/**
 * Create a Problem from a response body, even if the body is not the expected JSON.
 * @param {number} status
 * @param {string} text
 * @param {string | null} retryAfter
 * @returns {Problem}
 */
export function readProblem(status, text, retryAfter) {
  return new Problem(status, parsed(text), retryAfter);
}

/**
 * @param {string} text
 * @returns {Record<string, unknown>}
 */
function parsed(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
