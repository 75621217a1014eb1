/** The result of sending: the tracking code, the due date, a receipt to print. */

import { block, button, byId } from "./elements.js";
import { digits, language } from "./language.js";
import { qrOf } from "./qr.js";
import { imageOf, receiptDocument } from "./receipt-file.js";
import { saveFile } from "./save-file.js";
import { subjectTitle } from "./subject-titles.js";
import { dayAndTimeOf, dayOf } from "./tehran.js";
import { inGroups } from "./tracking-code.js";
import { named, words } from "./words.js";
import { showWritten } from "./written.js";

/** @typedef {import("./api.js").Receipt} Receipt */

/**
 * Show the receipt instead of the form. In HTML: `#success` with `#success_title`, `#tracking_code`, `#due` and
 * the `#receipt_…` elements.
 * @param {Receipt} receipt
 */
export function showReceipt(receipt) {
  const code = block("tracking_code");
  code.dataset.code = receipt.tracking_code;
  block("tracking_code_groups").textContent = inGroups(receipt.tracking_code);
  block("due").textContent = words.receipt.due(dayOf(receipt.due_local));
  block("receipt_submitted_at").textContent = dayAndTimeOf(receipt.submitted_local);
  block("receipt_province").textContent = named("provinces", receipt.province.key, receipt.province.name);
  block("receipt_subject").textContent = subjectTitle(receipt.subject);
  block("receipt_sub_subject").textContent = subjectTitle(receipt.sub_subject);
  block("receipt_national_id").textContent = digits(receipt.national_id_masked);
  block("receipt_representative").textContent = receipt.representative ?? "";
  block("receipt_representative_row").hidden = !receipt.representative;
  const isForeign = receipt.mobile_masked.startsWith("+");
  block("notice_way").textContent = isForeign ? words.receipt.byEmail : words.receipt.smsTo;
  block("sms_to").textContent = isForeign ? "" : digits(receipt.mobile_masked);
  showWritten(block("receipt_text"), receipt.text);
  for (const each of Array.from(document.querySelectorAll(".desk-address"))) each.textContent = `${window.location.host}/track`;
  block("receipt_pending").hidden = receipt.state !== "identity_pending";
  block("receipt_attachments").textContent = receipt.attachments === 0 ? words.receipt.noFiles : words.receipt.files(receipt.attachments);

  const link = byId("verify_link", HTMLAnchorElement);
  link.hash = receipt.receipt.token;
  const drawing = qrOf(link.href);
  void drawing.then((qr) => showQr(qr));
  button("save_receipt").addEventListener("click", () => void drawing.then((qr) => save(receipt, qr)));

  block("request").hidden = true;
  block("success").hidden = false;
  document.title = `${words.receipt.title} | ${document.title.split(" | ").slice(1).join(" | ")}`;
  button("copy_code").addEventListener("click", () => void copy(receipt.tracking_code));
  button("print_receipt").addEventListener("click", () => window.print());
  window.scrollTo(0, 0);
  block("success_title").focus({ preventScroll: true });
}

/** @param {string | null} qr an SVG */
function showQr(qr) {
  const image = byId("receipt_qr", HTMLImageElement);
  if (qr !== null) image.src = imageOf(qr);
  image.hidden = qr === null;
}

/**
 * Download the receipt as a file.
 * @param {Receipt} receipt
 * @param {string | null} qr an SVG
 */
function save(receipt, qr) {
  const address = new URL("/verify", window.location.href);
  const text = receiptDocument({
    language,
    direction: document.documentElement.dir,
    title: words.receipt.fileTitle,
    issuer: words.receipt.issuer,
    facts: [
      { label: words.receipt.facts.code, value: inGroups(receipt.tracking_code), code: true },
      { label: words.receipt.facts.submittedAt, value: dayAndTimeOf(receipt.submitted_local) },
      { label: words.receipt.facts.due, value: words.receipt.due(dayOf(receipt.due_local)) },
      { label: words.receipt.facts.province, value: named("provinces", receipt.province.key, receipt.province.name) },
      { label: words.receipt.facts.subject, value: subjectTitle(receipt.subject) },
      { label: words.receipt.facts.subSubject, value: subjectTitle(receipt.sub_subject) },
      ...(receipt.representative ? [{ label: words.receipt.facts.representative, value: receipt.representative }] : []),
    ],
    written: { label: words.receipt.facts.text, text: receipt.text },
    qr,
    qrAlt: words.receipt.qrAlt,
    how: words.receipt.how,
    address: address.href,
    token: receipt.receipt.token,
  });
  saveFile(new Blob([text], { type: "text/html" }), `receipt-${receipt.tracking_code}.html`);
}

/** @param {string} code */
async function copy(code) {
  const copied = (await copiedByClipboard(code)) || copiedBySelection(code);
  block("copy_status").textContent = copied ? words.receipt.copied : words.receipt.notCopied;
}

/**
 * @param {string} code
 * @returns {Promise<boolean>}
 */
async function copiedByClipboard(code) {
  try {
    await navigator.clipboard.writeText(code);
    return true;
  } catch {
    return false;
  }
}

/**
 * The older method, for a browser without a clipboard or without permission to use it.
 * @param {string} code
 * @returns {boolean}
 */
function copiedBySelection(code) {
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = code;
  block("success").append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  button("copy_code").focus();
  return copied;
}
