/** The page «بررسی رسید»: verifies a signed receipt in the browser, and compares it with a text and files. */

import "./started.js";
import { fetchReceiptKeys } from "./api.js";
import { findVerifier } from "./ed25519.js";
import { block, byId, input, make } from "./elements.js";
import { checkToken, compareFiles, digestOf, digestOfText, findToken } from "./receipt-token.js";
import { dayAndTimeOf, localOf } from "./tehran.js";
import { inGroups } from "./tracking-code.js";
import { words } from "./words.js";

/** @typedef {import("./receipt-token.js").PublicKey} PublicKey */
/** @typedef {import("./receipt-token.js").SignedReceipt} SignedReceipt */

const FILE_BYTES_MOST = 1_000_000;
const PAUSE_MS = 300;

const form = byId("verify_form", HTMLFormElement);
const token = byId("token", HTMLTextAreaElement);
const receiptFile = input("receipt_file");
const originalText = byId("original_text", HTMLTextAreaElement);
const originals = input("originals");
const verifier = findVerifier();

/** The desk's published keys, for as long as the page is open: it may lose the network after that. */
/** @type {PublicKey[] | null} */
let keys = null;
/** @type {Promise<void> | null} */
let loading = null;
/** @type {SignedReceipt | null} */
let receipt = null;
/** Counts the checks: the result of an outdated check is not shown. */
let checks = 0;
let pause = 0;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void check(token.value);
});
receiptFile.addEventListener("change", () => void readFile());
originalText.addEventListener("input", () => {
  window.clearTimeout(pause);
  pause = window.setTimeout(() => void compareText(), PAUSE_MS);
});
originals.addEventListener("change", () => void compareOriginals());
window.addEventListener("hashchange", checkAddress);
window.addEventListener("online", () => void loadKeys());
void loadKeys();
checkAddress();

/** One call at a time; after a failure the next call asks again. */
function loadKeys() {
  if (loading === null) loading = askForKeys();
  return loading;
}

async function askForKeys() {
  const status = block("keys_status");
  status.textContent = words.verify.keys.loading;
  try {
    keys = await fetchReceiptKeys();
  } catch {
    status.textContent = words.verify.keys.missing;
    loading = null;
    return;
  }
  status.textContent = (await verifier) === null ? words.verify.noVerifier : words.verify.keys.ready;
}

/** The fragment of the address, which the QR of a receipt contains and which is not sent to a server. */
function checkAddress() {
  if (window.location.hash.length < 2) return;
  token.value = window.location.hash.slice(1);
  void check(token.value);
}

async function readFile() {
  const [file] = receiptFile.files ?? [];
  receiptFile.value = "";
  if (file === undefined) return;
  const text = file.size > FILE_BYTES_MOST ? "" : await file.text();
  token.value = findToken(text) ?? "";
  await check(text);
}

/** @param {string} text with the token in it */
async function check(text) {
  const number = ++checks;
  const found = findToken(text);
  if (found === null) return showFault(text.trim() === "" ? "empty" : "malformed");
  const verify = await verifier;
  if (verify === null) return showFault("noVerifier");
  if (keys === null) await loadKeys();
  if (keys === null) return showFault("noKeys");
  const verdict = await checkToken(found, keys, verify);
  if (number !== checks) return;
  if (verdict.fault !== null) return showFault(verdict.fault);
  showGenuine(verdict.receipt);
}

/** @param {SignedReceipt} genuine */
function showGenuine(genuine) {
  receipt = genuine;
  block("says_code").textContent = inGroups(genuine.code);
  block("says_at").textContent = dayAndTimeOf(localOf(genuine.at));
  const count = genuine.fileDigests.length;
  block("says_files").textContent = count === 0 ? words.receipt.noFiles : words.receipt.files(count);
  block("genuine").hidden = false;
  show("notice notice-success", words.verify.genuine);
  void compareText();
  void compareOriginals();
}

/** @param {keyof typeof words.verify.faults} fault */
function showFault(fault) {
  receipt = null;
  block("genuine").hidden = true;
  show("notice notice-error", words.verify.faults[fault]);
}

/**
 * @param {string} look
 * @param {{ title: string, text: string }} said
 */
function show(look, said) {
  const verdict = block("verdict");
  verdict.className = look;
  verdict.hidden = false;
  block("verdict_title").textContent = said.title;
  block("verdict_text").textContent = said.text;
  block("verdict_title").focus();
}

async function compareText() {
  const [text, of] = [originalText.value, receipt];
  const result = block("text_match");
  if (of === null || text.trim() === "") {
    result.textContent = "";
    return;
  }
  const same = (await digestOfText(text)) === of.textDigest;
  if (text !== originalText.value || of !== receipt) return;
  result.dataset.state = same ? "same" : "other";
  result.textContent = same ? words.verify.text.same : words.verify.text.other;
}

async function compareOriginals() {
  const [files, of] = [Array.from(originals.files ?? []), receipt];
  const list = block("file_matches");
  const missing = block("files_missing");
  list.replaceChildren();
  missing.textContent = "";
  if (of === null || files.length === 0) return;
  const chosen = await Promise.all(
    files.map(async (file) => ({ name: file.name, digest: await digestOf(await file.arrayBuffer()) })),
  );
  if (of !== receipt) return;
  const compared = compareFiles(of.fileDigests, chosen);
  list.replaceChildren(
    ...compared.files.map(({ name, matches }) => make(
      "li",
      { "data-state": matches ? "same" : "other" },
      make("bdi", {}, name),
      " ",
      make("strong", {}, matches ? words.verify.file.same : words.verify.file.other),
    )),
  );
  missing.dataset.state = compared.missing === 0 ? "same" : ""; // choosing one of three files is not an error
  if (compared.missing > 0) missing.textContent = words.verify.file.missing(compared.missing);
  else if (compared.files.every(({ matches }) => matches)) missing.textContent = words.verify.file.all;
}
