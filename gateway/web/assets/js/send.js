/** The page «ارسال درخواست»: connects its parts, stores the draft, and sends the request. */

import "./started.js";
import { Problem, Unreachable } from "./problem.js";
import { OF_A_REQUEST } from "./attachment-kinds.js";
import { Attachments } from "./attachments.js";
import { Captcha } from "./captcha.js";
import { CatalogLists } from "./catalog-lists.js";
import { offerToClear } from "./clear-form.js";
import { watchedConnection } from "./connection-notice.js";
import { block, button } from "./elements.js";
import { ErrorSummary } from "./error-summary.js";
import { inWords, mayRetry } from "./failure.js";
import { byField } from "./field-errors.js";
import { holdStill } from "./fields.js";
import { IdempotencyKey } from "./idempotency.js";
import { Identity } from "./identity.js";
import { IdentityEntry } from "./identity-entry.js";
import { MobileCode } from "./mobile-code.js";
import { showReceipt } from "./receipt.js";
import { keptReceipt, requestDraft } from "./request-draft.js";
import { askToRepeat } from "./repeat-question.js";
import { RequestForm } from "./request-form.js";
import { Stepper } from "./stepper.js";
import { Submission } from "./submission.js";
import { TextCounter } from "./text-counter.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").Receipt} Receipt */

const NAME_FIELDS = ["applicant.first_name", "applicant.last_name", "applicant.gender"];

const submit = button("submit");
const note = block("draft_note");

const draft = requestDraft();
const receipts = keptReceipt();
const connection = watchedConnection();
const lists = new CatalogLists({
  onProvince: () => {
    if (lists.isProvinceUnmatched) fields.show({ field: "province", message: words.province.unmatched });
  },
  onSubject: () => fields.clear("sub_subject"),
}, connection);
const form = new RequestForm(lists);
const { fields } = form;
const summary = new ErrorSummary(fields);
const captcha = new Captcha("submit", connection);
const steps = new Stepper(block("steps"));
const counter = new TextCounter(form.text, lists.limits.text_max);
const identity = new Identity({
  onChange: identityChanged,
  onRefused: (errors) => {
    for (const fault of byField(errors, fields).known) fields.show(fault);
  },
}, connection);
const entry = new IdentityEntry(form, identity);
const mobileCode = new MobileCode(form, identity, connection);
const attachments = new Attachments(OF_A_REQUEST, lists.limits, {
  onChange: () => {
    form.documents.offer(attachments.kept);
    if (fields.isShown("attachments") && attachments.fault === null) fields.clear("attachments");
    keep();
  },
  renewIdentity: () => identity.renew(),
}, connection);

const submission = new Submission(
  { form, attachments, captcha, identity, connection, mobileCode },
  { isComplete, onBusy: showBusy, onAttempt: keep },
);
let sending = false;

/** Nothing is stored: the draft is being read, or the request is sent. */
let isClosed = true;

start();

function start() {
  window.addEventListener("pageshow", ({ persisted }) => {
    if (persisted && draft.isOther) location.reload(); // another page of this tab has sent or changed it
  });
  const receipt = history.state?.sent === true ? receipts.read() : null;
  if (receipt !== null) {
    leaveReceipt(receipt);
    return;
  }
  attachments.limitTo(lists.limits);
  restore();
  isClosed = false;
  void loadCatalog();
  void captcha.renew();
  for (const kind of ["input", "change"]) {
    form.root.addEventListener(kind, () => {
      keep();
      showSteps();
    });
  }
  form.root.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });
  offerToClear(clear);
  holdStill(submit);
  submit.disabled = false;
  identityChanged();
  entry.consider();
}

/** Continue from the previous page. */
function restore() {
  const kept = draft.read();
  if (kept === null) return;
  form.restore(kept.fields);
  counter.limitTo(lists.limits.text_max);
  if (kept.identity !== null) identity.restore(kept.identity);
  attachments.restore(kept.files);
  submission.key = new IdempotencyKey(kept.attempt);
  note.textContent = kept.attempt === null ? words.draft.restored : words.draft.inDoubt;
  note.hidden = false;
}

/** Store the current values of the form; an empty form is no draft. */
function keep() {
  if (isClosed) return;
  const { typed } = form;
  const files = attachments.kept;
  if (files.length === 0 && Object.values(typed).every((value) => value === "")) {
    draft.clear();
    return;
  }
  draft.write({ fields: typed, identity: identity.kept, files, attempt: submission.key.attempt });
  receipts.clear(); // a new request has begun
}

function clear() {
  summary.hide();
  identity.consider(null, null);
  attachments.clear({ areSent: false });
  form.clear();
  counter.limitTo(lists.limits.text_max);
  mobileCode.forget();
  submission.key.forget();
  draft.clear();
  void captcha.renew();
  note.textContent = words.draft.cleared;
  note.hidden = false;
  note.scrollIntoView({ block: "center" });
  note.focus({ preventScroll: true });
}

async function loadCatalog() {
  try {
    await lists.load();
  } catch (error) {
    summary.fail(words.summary.catalogFailure, inWords(error), () => {
      summary.hide();
      void loadCatalog();
    });
    return;
  }
  attachments.limitTo(lists.limits);
  counter.limitTo(lists.limits.text_max);
  mobileCode.update();
  showSteps();
}

/** A part is complete if nothing in it needs correction; the last one only after sending. */
function showSteps() {
  const open = form.faults(identity, attachments, captcha, mobileCode).map(({ field }) => `[data-field="${field}"]`);
  if (identity.identified === null) open.push("#identity");
  steps.show((part) => !part.contains(submit) && !open.some((selector) => part.querySelector(selector) !== null));
}

function identityChanged() {
  const may = identity.identified !== null;
  submit.setAttribute("aria-disabled", String(!may || sending));
  block("submit_reason").textContent = words.submit.reason[identity.state] ?? "";
  block("submit_reason").hidden = may;
  if (may || identity.state === "busy") {
    fields.clear("national_id");
    fields.clear("birth_date");
  }
  if (identity.state !== "pending") {
    for (const field of NAME_FIELDS) fields.clear(field);
  }
  entry.markRefused();
  mobileCode.update();
  attachments.belongTo(identity.identified);
  keep();
  showSteps();
}

async function send() {
  if (sending) return;
  entry.consider();
  if (!isComplete()) return;
  sending = true;
  note.hidden = true;
  summary.hide();
  try {
    if (attachments.isBusy) {
      showBusy(words.submit.waitingFiles);
      await attachments.settled();
      if (!isComplete()) return;
    }
    const receipt = await submission.send();
    if (receipt !== null) finish(receipt);
  } catch (error) {
    explain(error);
  } finally {
    sending = false;
    submission.again = false;
    showBusy(null);
    keep();
  }
}

/**
 * Keep only the receipt, for a reload of this page or a return to it.
 * @param {Receipt} receipt
 */
function finish(receipt) {
  isClosed = true;
  draft.clear();
  receipts.write(receipt);
  attachments.clear({ areSent: true });
  form.clear();
  leaveReceipt(receipt);
}

/**
 * Show the receipt for this history entry until a link begins a new request: for a browser, a link to the same page is
 * only a reload.
 * @param {Receipt} receipt
 */
function leaveReceipt(receipt) {
  history.replaceState({ sent: true }, "");
  for (const link of Array.from(document.querySelectorAll('a[href="/send"]'))) {
    link.addEventListener("click", () => history.replaceState(null, ""));
  }
  showReceipt(receipt);
}

/** @returns {boolean} whether nothing needs correction; otherwise the errors are shown */
function isComplete() {
  const refusal = lists.refusal ?? (identity.state === "barred" ? identity.message : null);
  if (refusal !== null) {
    summary.fail(words.summary.failure, refusal, null);
    return false;
  }
  const found = form.faults(identity, attachments, captcha, mobileCode);
  const others = identityFaults();
  if (found.length === 0 && others.length === 0) return true;
  summary.list(found, others);
  return false;
}

/** @returns {string[]} why the request cannot be sent although every field is valid */
function identityFaults() {
  return identity.state === "busy" ? [words.identity.wait] : identity.state === "failed" ? [words.submit.reason.failed ?? ""] : [];
}

/** @param {unknown} error */
function explain(error) {
  if (submission.key.attempt === null && error instanceof Unreachable) return; // the form was cleared while it waited for the connection
  if (!(error instanceof Problem) || mayRetry(error)) {
    captcha.hold();
    const isChanged = error instanceof Unreachable && submission.isChanged;
    summary.fail(words.summary.failure, isChanged ? words.draft.changed : inWords(error), () => void send());
    return;
  }
  if (error.code === "request_repeated") {
    void confirmRepeat();
    return;
  }
  submission.renewUsed(error);
  if (error.errors.some(({ field }) => field.startsWith("attachments")) && error.code !== "too_many_files") attachments.sendAgain();
  const { known, others } = byField(error.errors, fields);
  if (error.code.startsWith("captcha_") && known.length === 0) {
    known.push({ field: "captcha.answer", message: error.title || words.captcha.wrong });
  }
  if (error.status === 401 && identity.identified === null) others.push(identity.message);
  if (known.length === 0 && others.length === 0) summary.fail(words.summary.failure, inWords(error), null);
  else summary.list(known, others);
}

/** The security code is still good: the desk asked before it stored anything. */
async function confirmRepeat() {
  if (!(await askToRepeat())) return;
  submission.again = true;
  await send();
}

/** @param {string | null} message null: no longer busy */
function showBusy(message) {
  submit.dataset.state = message === null ? "idle" : "busy";
  submit.setAttribute("aria-disabled", String(message !== null || identity.identified === null));
  submit.textContent = message ?? words.submit.idle;
}
