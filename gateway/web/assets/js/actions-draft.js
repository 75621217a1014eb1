/** The draft of a reply or an objection; it is shown again only after the applicant has found the request again. */

import { Draft } from "./draft.js";
import { isFile, isObject, isText } from "./request-draft.js";

/** @typedef {import("./attachment-item.js").KeptFile} KeptFile */
/** @typedef {{ trackingCode: string, typed: Record<string, string>, files: KeptFile[] }} ActionsDraft  typed: values by the names of controls */

/** @returns {Draft<ActionsDraft>} */
export const actionsDraft = () => new Draft("desk.moves", 1, isActionsDraft);

/**
 * @param {unknown} value
 * @returns {value is ActionsDraft}
 */
export function isActionsDraft(value) {
  return isObject(value) && isText(value.trackingCode) && isObject(value.typed) && Object.values(value.typed).every(isText)
    && Array.isArray(value.files) && value.files.every(isFile);
}

/**
 * @param {HTMLFormElement} form
 * @returns {Record<string, string>} its values, without files and empty values
 */
export function typedIn(form) {
  const typed = Array.from(new FormData(form)).filter(([, value]) => typeof value === "string" && value.trim() !== "");
  return /** @type {Record<string, string>} */ (Object.fromEntries(typed));
}

/**
 * @param {HTMLFormElement} form
 * @param {Record<string, string>} typed
 */
export function typeInto(form, typed) {
  for (const control of Array.from(form.elements)) {
    if (control instanceof HTMLInputElement && control.type === "radio") control.checked = typed[control.name] === control.value;
    else if (control instanceof HTMLTextAreaElement || (control instanceof HTMLInputElement && control.type !== "file")) {
      control.value = typed[control.name] ?? "";
    }
  }
}
