/** The draft of a request until it is sent, and its receipt afterwards. The answer to the security code is never stored. */

import { Draft } from "./draft.js";

/** @typedef {import("./api.js").Receipt} Receipt */
/** @typedef {import("./attachment-item.js").KeptFile} KeptFile */
/** @typedef {import("./identity.js").KeptIdentity} KeptIdentity */
/** @typedef {import("./idempotency.js").Attempt} Attempt */
/** @typedef {{ fields: Record<string, string>, identity: KeptIdentity | null, files: KeptFile[], attempt: Attempt | null }} KeptRequest */

/** @returns {Draft<KeptRequest>} */
export const requestDraft = () => new Draft("desk.request", 1, isKeptRequest);

/** @returns {Draft<Receipt>} */
export const keptReceipt = () => new Draft("desk.receipt", 2, isReceipt);

/**
 * @param {unknown} value
 * @returns {value is KeptRequest}
 */
export function isKeptRequest(value) {
  return isObject(value) && isObject(value.fields) && Object.values(value.fields).every(isText)
    && (value.identity === null || isIdentity(value.identity))
    && Array.isArray(value.files) && value.files.every(isFile)
    && (value.attempt === null || (isObject(value.attempt) && isText(value.attempt.key) && isText(value.attempt.content)));
}

/**
 * @param {unknown} value
 * @returns {value is KeptFile}
 */
export function isFile(value) {
  return isObject(value) && isText(value.name) && typeof value.size === "number"
    && (value.sent === null || (isObject(value.sent) && ["id", "pair", "token"].every((part) => isText(isObject(value.sent) && value.sent[part]))));
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, unknown>}
 */
export function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
export function isText(value) {
  return typeof value === "string";
}

/** @param {unknown} value */
function isIdentity(value) {
  if (!isObject(value) || !isText(value.nationalId) || !isText(value.birthDate)) return false;
  const { person, refusal, names } = value;
  return (person === null || (isObject(person) && isText(person.status) && isText(person.token)))
    && (refusal === null || (isObject(refusal) && typeof refusal.status === "number" && Array.isArray(refusal.errors)))
    && (names === null || (isObject(names) && [names.first_name, names.last_name, names.gender].every(isText)));
}

/**
 * @param {unknown} value
 * @returns {value is Receipt}
 */
function isReceipt(value) {
  return isObject(value) && [value.tracking_code, value.submitted_local, value.due_local, value.national_id_masked, value.mobile_masked, value.text].every(isText)
    && isObject(value.province) && isObject(value.subject) && isObject(value.sub_subject)
    && isObject(value.receipt) && isText(value.receipt.token);
}
