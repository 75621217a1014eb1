/** The public interface of the desk: one function per route, and the two ways in which a call can fail. */

import { named } from "./words.js";

/** @typedef {{ key: string, name: string, area_code: string }} Province */
/** @typedef {{ key: string, title: string, answer_within_days: number }} SubSubject */
/** @typedef {{ key: string, title: string, sub_subjects: SubSubject[] }} Subject */
/** @typedef {{ text_min: number, text_max: number, files_max: number, file_bytes_max: number, media_types: string[], extensions: string[], mobile_proof?: "off" | "pending" | "always" }} Limits  mobile_proof: who enters a code by SMS */
/** @typedef {{ provinces: Province[], subjects: Subject[], limits: Limits }} Catalog */
/** @typedef {"image" | "sound"} CodeKind */
/** @typedef {{ id: string, kind: CodeKind, expires_at: string, image?: string, sound?: string }} SecurityCode */
/** @typedef {{ id: string, answer: string }} CaptchaAnswer */
/** @typedef {{ algorithm: string, cost: number, keyLength: number, keyPrefix: string, nonce: string, salt: string, most: number, usable_at?: string }} WorkChallenge  usable_at: not accepted before, in UTC */
/** @typedef {"identity" | "track" | "mobile"} WorkPurpose */
/** @typedef {{ id: string, solution: string }} Proof */
/** @typedef {"male" | "female"} Gender */
/** @typedef {{ first_name: string, last_name: string, gender: Gender }} Names */
/** @typedef {"closed" | "quota" | "unreachable" | "foreign"} PendingReason */
/** @typedef {{ status: "matched", token: string, expires_at: string } & Names} MatchedPerson */
/** @typedef {{ status: "pending", token: string, expires_at: string, reason: PendingReason, available_at: string | null }} PendingPerson */
/** @typedef {MatchedPerson | PendingPerson} Person */
/** @typedef {{ id: string, name: string, size: number, media_type: string, sha256: string }} Attachment */
/** @typedef {{ province: string, email?: string, mobile: string, abroad?: boolean, landline?: { area_code: string, number: string }, subject: string, sub_subject: string, text: string, attachments: string[] }} RequestContent */
/** @typedef {{ key: string, title: string }} Titled */
/** @typedef {{ tracking_code: string, submitted_at: string, submitted_local: string, due_at: string, due_local: string, province: { key: string, name: string }, subject: Titled, sub_subject: Titled, national_id_masked: string, mobile_masked: string, text: string, attachments: number, state: "registered" | "identity_pending", receipt: { token: string, qr: string } }} Receipt */
/** @typedef {"reply" | "withdraw" | "rate" | "object"} Action */
/** @typedef {{ id: string, name: string, size: number }} CaseFile */
/** @typedef {{ at: string, local: string, state: string, title: string, note: string | null, action: Action | "opened" | null, files: CaseFile[] }} HistoryEntry */
/** @typedef {{ text: string, at: string, local: string, files: CaseFile[] }} Answer */
/** @typedef {{ at: string, local: string, purpose: string }} RegistryLookup */
/** @typedef {{ tracking_code: string, state: string, state_title: string, submitted_at: string, submitted_local: string, due_at: string, due_local: string, province: { key: string, name: string }, subject: Titled, sub_subject: Titled, text: string, attachments: CaseFile[], contact: { mobile: string, landline: string | null, email: string | null }, history: HistoryEntry[], answer: Answer | null, registry_lookups: RegistryLookup[] | null, actions: Action[], objection_until: string | null, objection_until_local: string | null, token: string }} TrackedRequest */
/** @typedef {{ field: string, code: string, message: string }} FieldError */

const PATIENCE_MS = 30_000;

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

/** How far the desk's clock is ahead of this device's, in milliseconds: clocks of old phones may be years off. */
let clockAhead = 0;

/**
 * @param {string} moment in UTC, from the desk
 * @returns {number} milliseconds until then
 */
export function millisecondsUntil(moment) {
  return Date.parse(moment) - (Date.now() + clockAhead);
}

/** @returns {Date} now, by the desk's clock as far as it is known */
export function now() {
  return new Date(Date.now() + clockAhead);
}

/** @returns {Promise<Catalog>} */
export function fetchCatalog() {
  return ask("GET", "/api/catalog");
}

/**
 * @param {"submit" | "track"} purpose
 * @param {CodeKind} kind
 * @returns {Promise<SecurityCode>}
 */
export function newCaptcha(purpose, kind) {
  return ask("POST", "/api/captchas", { body: { purpose, kind } });
}

/**
 * @param {WorkPurpose} purpose
 * @param {number} level each level doubles the work
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ id: string, challenge: WorkChallenge }>} the work required before a look-up
 */
export function newWork(purpose, level, signal) {
  return ask("POST", "/api/captchas", { body: { purpose, kind: "work", level }, ...(signal && { signal }) });
}

/**
 * Send a code by SMS.
 * @param {string} mobile
 * @param {string} language of the message
 * @param {Proof} proof
 * @returns {Promise<{ id: string, expires_at: string }>}
 */
export function sendCode(mobile, language, proof) {
  return ask("POST", "/api/captchas", { body: { purpose: "mobile", kind: "sms", mobile, language, proof } });
}

/**
 * @param {string} path of a spoken security code
 * @returns {Promise<Blob>} a WAV
 * @throws {Problem | Unreachable}
 */
export async function fetchSound(path) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), PATIENCE_MS);
  try {
    const response = await fetch(path, { signal: controller.signal, credentials: "same-origin" });
    if (!response.ok) throw readProblem(response.status, await response.text(), response.headers.get("Retry-After"));
    return await response.blob();
  } catch (error) {
    throw error instanceof Problem ? error : new Unreachable(String(error));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * @param {string} nationalId
 * @param {string} birthDate Jalali, YYYY-MM-DD
 * @param {Proof} proof
 * @param {AbortSignal} signal
 * @returns {Promise<Person>}
 */
export function lookUpPerson(nationalId, birthDate, proof, signal) {
  return ask("POST", "/api/identities", { body: { national_id: nationalId, birth_date: birthDate, proof }, signal });
}

/**
 * @param {RequestContent & { language: string, again?: boolean, applicant?: Names, captcha: CaptchaAnswer, mobile_code?: CaptchaAnswer }} body
 * @param {string} token
 * @param {string} key
 * @returns {Promise<Receipt>}
 */
export function sendRequest(body, token, key) {
  return ask("POST", "/api/requests", { body, token, headers: { "Idempotency-Key": key } });
}

/**
 * @returns {Promise<import("./receipt-token.js").PublicKey[]>} the keys that verify receipts
 * @throws {Problem | Unreachable}
 */
export async function fetchReceiptKeys() {
  return (await ask("GET", "/api/receipt-keys")).keys;
}

/**
 * @param {string} path to which it was uploaded
 * @param {string} id
 * @param {string} token
 * @returns {Promise<void>}
 */
export function removeAttachment(path, id, token) {
  return ask("DELETE", `${path}/${encodeURIComponent(id)}`, { token });
}

/**
 * @param {{ national_id: string, tracking_code: string, captcha: CaptchaAnswer, proof?: Proof }} query
 * @returns {Promise<TrackedRequest>}
 */
export function trackRequest(query) {
  return ask("POST", "/api/tracking", { body: query });
}

/** @type {Record<Action, string>} */
const MOVES = { reply: "replies", withdraw: "withdrawal", rate: "rating", object: "objection" };

/**
 * Perform an action on a tracked request.
 * @param {Action} action
 * @param {object} body
 * @param {string} token
 * @param {string} key
 * @returns {Promise<TrackedRequest>} the request after the action
 */
export function actOn(action, body, token, key) {
  return ask("POST", `/api/tracking/${MOVES[action]}`, { body, token, headers: { "Idempotency-Key": key } });
}

/**
 * Download a file of the tracked request.
 * @param {string} id
 * @param {string} token the tracking token
 * @returns {Promise<Blob>}
 */
export function downloadFile(id, token) {
  return ask("GET", `/api/files/${encodeURIComponent(id)}`, { token, read: readBlob });
}

/**
 * Read a body of any length, as long as some of it arrives in time.
 * @param {Response} response
 * @param {() => void} progress called for each part
 * @returns {Promise<Blob>}
 */
async function readBlob(response, progress) {
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
 * @param {string} method
 * @param {string} path
 * @param {{ body?: object, token?: string, headers?: Record<string, string>, signal?: AbortSignal, read?: (response: Response, progress: () => void) => Promise<any> }} [options]  read: for a body that is not JSON
 * @returns {Promise<any>} the JSON of the answer, or what `read` returned
 * @throws {Problem | Unreachable | DOMException} the last one, an AbortError, only if the caller's signal aborts
 */
async function ask(method, path, { body, token, headers = {}, signal, read } = {}) {
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

/**
 * @param {string | null} date
 * @param {string} method a GET may come from the cache with an old date
 */
function readClock(date, method) {
  const time = Date.parse(date ?? "");
  if (method === "POST" && !Number.isNaN(time)) clockAhead = time - Date.now();
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
