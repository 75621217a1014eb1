/** The public interface of the desk: one function per route, and the form of what it takes and gives. */

import { ask, readBlob } from "./call.js";

/** @typedef {import("./problem.js").Problem} Problem */
/** @typedef {import("./problem.js").Unreachable} Unreachable */
/** @typedef {{ key: string, name: string, area_code: string }} Province */
/** @typedef {{ key: string, title: string, title_en: string }} Choice */
/** @typedef {{ key: string, title: string, title_en: string, kind: "text" | "number" | "date" | "choice" | "iban" | "receipt_number", required?: boolean, choices?: Choice[] }} ExtraField */
/** @typedef {{ key: string, title: string, title_en: string, required?: boolean }} Document */
/** @typedef {{ text: string, text_en: string }} Closure */
/** @typedef {{ text: string, text_en: string, level?: "info" | "warning", pages: string[] }} Notice */
/** @typedef {{ key: string, title: string, title_en?: string, answer_within_days: number, office?: string, guidance?: string, guidance_en?: string, fields?: ExtraField[], documents?: Document[], closures?: Closure[] }} SubSubject */
/** @typedef {{ key: string, title: string, title_en?: string, sub_subjects: SubSubject[] }} Subject */
/** @typedef {{ text_min: number, text_max: number, files_max: number, file_bytes_max: number, media_types: string[], extensions: string[], mobile_proof?: "off" | "pending" | "always" }} Limits  mobile_proof: who enters a code by SMS */
/** @typedef {{ provinces: Province[], subjects: Subject[], limits: Limits, notices?: Notice[], closures?: Closure[] }} Catalog */
/** @typedef {"image" | "sound"} CodeKind */
/** @typedef {{ id: string, kind: CodeKind, expires_at: string, image?: string, sound?: string }} SecurityCode */
/** @typedef {{ id: string, answer: string }} CaptchaAnswer */
/** @typedef {{ algorithm: string, cost: number, keyLength: number, keyPrefix: string, nonce: string, salt: string, most: number, usable_at?: string }} WorkChallenge  usable_at: not accepted before, in UTC */
/** @typedef {"identity" | "track" | "mobile"} WorkPurpose */
/** @typedef {{ id: string, solution: string }} Proof */
/** @typedef {"mobile" | "requests" | "contact"} CodePurpose */
/** @typedef {"male" | "female"} Gender */
/** @typedef {{ first_name: string, last_name: string, gender: Gender }} Names */
/** @typedef {"closed" | "quota" | "unreachable" | "foreign"} PendingReason */
/** @typedef {{ status: "matched", token: string, expires_at: string } & Names} MatchedPerson */
/** @typedef {{ status: "pending", token: string, expires_at: string, reason: PendingReason, available_at: string | null }} PendingPerson */
/** @typedef {MatchedPerson | PendingPerson} Person */
/** @typedef {{ id: string, name: string, size: number, media_type: string, sha256: string }} Attachment */
/** @typedef {{ province: string, email?: string, mobile: string, abroad?: boolean, landline?: { area_code: string, number: string }, subject: string, sub_subject: string, text: string, fields?: Record<string, string>, attachments: string[], documents?: Record<string, string>, representative?: import("./representative.js").RepresentativeContent }} RequestContent */
/** @typedef {{ key: string, title: string }} Titled */
/** @typedef {{ tracking_code: string, submitted_at: string, submitted_local: string, due_at: string, due_local: string, province: { key: string, name: string }, subject: Titled, sub_subject: Titled, national_id_masked: string, mobile_masked: string, text: string, attachments: number, source?: string, representative?: string | null, state: "registered" | "identity_pending", receipt: { token: string } }} Receipt */
/** @typedef {string} Action  `reply`, `withdraw` and so on: those of the contract of tracking */
/** @typedef {{ id: string, name: string, size: number }} CaseFile */
/** @typedef {{ at: string, local: string, state: string, title: string, note: string | null, action: Action | "opened" | "contact_changed" | null, files: CaseFile[] }} HistoryEntry */
/** @typedef {{ text: string, at: string, local: string, files: CaseFile[] }} Answer */
/** @typedef {{ at: string, local: string, purpose: string }} RegistryLookup */
/** @typedef {{ tracking_code: string, state: string, state_title: string, submitted_at: string, submitted_local: string, due_at: string, due_local: string, province: { key: string, name: string }, office: { key: string, name: string }, subject: Titled, sub_subject: Titled, text: string, attachments: CaseFile[], contact: { mobile: string, landline: string | null, email: string | null }, contact_changeable?: boolean, unreached?: boolean, source?: string, representative?: string | null, history: HistoryEntry[], answer: Answer | null, actions: Action[], objection_until: string | null, objection_until_local: string | null, reply_until: string | null, reply_until_local: string | null, token: string }} TrackedRequest */
/** @typedef {{ tracking_code: string, state: string, state_title: string, submitted_at: string, submitted_local: string, office: { key: string, name: string }, subject: Titled, sub_subject: Titled, token: string }} OwnRequest */
/** @typedef {{ requests: OwnRequest[], more: boolean }} OwnRequests */

/** The value in the address of a preview: the page then shows a draft of the catalogue, and sends nothing. */
export const preview = /^#preview=([A-Za-z0-9_-]{32})$/.exec(globalThis.location?.hash ?? "")?.[1] ?? null;

/** @typedef {number | "<5" | "suppressed"} Shown  a count, if it is not too small to be shown */
/** @typedef {{ requests: Shown, open: Shown, answered: Shown, median_days: number | null, p90_days: number | null, rating_mean: number | null, incomplete: string[] }} PublicCounts */
/** @typedef {{ from: string, until: string, at: string, months: (PublicCounts & { month: string })[], offices: (PublicCounts & { office: string, name: string })[] }} PublicFigures */

/** @returns {Promise<Catalog>} */
export function fetchCatalog() {
  return ask("GET", preview === null ? "/api/catalog" : `/api/catalog/previews/${preview}`);
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
 * @param {CodePurpose} purpose the only one that the code is valid for
 * @param {string} mobile
 * @param {string} language of the message
 * @param {Proof} proof
 * @returns {Promise<{ id: string, expires_at: string }>}
 */
export function sendCode(purpose, mobile, language, proof) {
  return ask("POST", "/api/captchas", { body: { purpose, kind: "sms", mobile, language, proof } });
}

/**
 * @param {string} path of a spoken security code
 * @returns {Promise<Blob>} a WAV
 * @throws {Problem | Unreachable}
 */
export function fetchSound(path) {
  return ask("GET", path, { read: readBlob });
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

/**
 * List the requests of an applicant whose contact has this mobile, the newest first.
 * @param {{ national_id: string, mobile: string, mobile_code: CaptchaAnswer, proof?: Proof }} query
 * @returns {Promise<OwnRequests>}
 */
export function listOwnRequests(query) {
  return ask("POST", "/api/tracking/requests", { body: query });
}

/**
 * Open a request of the list.
 * @param {string} token of the request in the list
 * @returns {Promise<TrackedRequest>}
 */
export function openRequest(token) {
  return ask("GET", "/api/tracking/request", { token });
}

/**
 * Perform an action on a tracked request.
 * @param {string} path of the action
 * @param {object} body
 * @param {string} token
 * @param {string} key
 * @returns {Promise<TrackedRequest>} the request after the action
 */
export function actOn(path, body, token, key) {
  return ask("POST", `/api/tracking/${path}`, { body, token, headers: { "Idempotency-Key": key } });
}

/**
 * Give a tracked request another mobile.
 * @param {{ mobile: string, mobile_code: CaptchaAnswer }} body
 * @param {string} token
 * @param {string} key
 * @returns {Promise<TrackedRequest>} the request after the change
 */
export function changeContact(body, token, key) {
  return ask("POST", "/api/tracking/contact", { body, token, headers: { "Idempotency-Key": key } });
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
 * List when the civil registry was asked about the applicant of a tracked request, the newest first.
 * @param {string} token the tracking token
 * @returns {Promise<RegistryLookup[]>}
 */
export async function readLookups(token) {
  return (await ask("GET", "/api/tracking/lookups", { token })).lookups;
}

/**
 * @returns {Promise<PublicFigures>} the figures that the organization publishes; a 404 if it publishes none
 */
export function fetchFigures() {
  return ask("GET", "/api/figures");
}
