/** The page «پیگیری درخواست»: three fields in, the state of a request out. */

import "./started.js";
import { fetchCatalog, openRequest, trackRequest } from "./api.js";
import { showNotices } from "./notices.js";
import { Problem } from "./problem.js";
import { Captcha } from "./captcha.js";
import { watchedConnection } from "./connection-notice.js";
import { ContactChange } from "./contact-change.js";
import { block, button, byId, input } from "./elements.js";
import { ErrorSummary } from "./error-summary.js";
import { inWords, mayRetry } from "./failure.js";
import { Fields, holdStill } from "./fields.js";
import { readIdentityNumber } from "./identity-number.js";
import { takeOver } from "./opened-request.js";
import { RequestActions } from "./request-actions.js";
import { checkCaptchaAnswer, checkIdentityNumber, checkTrackingCode } from "./request-rules.js";
import { showTracked } from "./tracked-request.js";
import { readTrackingCode } from "./tracking-code.js";
import { words } from "./words.js";
import { WorkFailed, withProof } from "./work.js";
import { WorkNotice } from "./work-notice.js";

/** @typedef {import("./fields.js").Fault} Fault */

const form = byId("tracking_form", HTMLFormElement);
const nationalId = input("national_id");
const trackingCode = input("tracking_code");
const submit = button("submit");

const fields = new Fields(form);
const summary = new ErrorSummary(fields);
const connection = watchedConnection();
const captcha = new Captcha("track", connection);
const workNotice = new WorkNotice("tracking");
const requestActions = new RequestActions(show, connection);
const contactChange = new ContactChange(show, connection);
const checks = {
  national_id: () => checkIdentityNumber(nationalId.value),
  tracking_code: () => checkTrackingCode(trackingCode.value),
  "captcha.answer": () => (captcha.answer === null ? words.captcha.notLoaded : checkCaptchaAnswer(captcha.answer.answer)),
};
let asking = false;

start();

function start() {
  const token = takeOver();
  if (token === null) void captcha.renew();
  else void openListed(token);
  fetchCatalog().then((catalog) => showNotices(catalog, "track"), () => {}); // without notices the page is complete
  for (const [field, check] of Object.entries(checks)) {
    const control = fields.controlOf(field);
    control.addEventListener("input", () => {
      if (fields.isShown(field) && check() === null) fields.clear(field);
    });
    control.addEventListener("change", () => {
      const message = control.value.trim() === "" ? null : check();
      if (message === null) fields.clear(field);
      else fields.show({ field, message });
    });
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask();
  });
  holdStill(submit);
  submit.disabled = false;
}

/**
 * Show a request of the list of requests; if that is no longer possible, the form says why.
 * @param {string} token
 */
async function openListed(token) {
  asking = true;
  showBusy(true);
  try {
    show(await connection.insist(() => openRequest(token)));
  } catch (error) {
    const isOver = error instanceof Problem && error.status === 401;
    summary.fail(words.summary.trackingFailure, isOver ? words.ownRequests.expired : inWords(error), null);
    void captcha.renew();
  } finally {
    asking = false;
    showBusy(false);
  }
}

async function ask() {
  if (asking) return;
  const found = Object.entries(checks).flatMap(([field, check]) => {
    const message = check();
    return message === null ? [] : [{ field, message }];
  });
  if (found.length > 0) {
    summary.list(found);
    return;
  }
  asking = true;
  summary.hide();
  showBusy(true);
  try {
    const query = {
      national_id: readIdentityNumber(nationalId.value).value ?? "",
      tracking_code: readTrackingCode(trackingCode.value) ?? "",
      captcha: captcha.answer ?? { id: "", answer: "" },
    };
    const call = (/** @type {import("./api.js").Proof | null} */ proof) => trackRequest(proof === null ? query : { ...query, proof });
    show(await connection.insist(() => withProof("track", call, workNotice.watch), { onCut: () => captcha.hold() }));
  } catch (error) {
    explain(error);
  } finally {
    asking = false;
    workNotice.hide();
    showBusy(false);
  }
}

/** @param {import("./api.js").TrackedRequest} request */
function show(request) {
  showTracked(request);
  requestActions.offer(request);
  contactChange.offer(request);
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof WorkFailed) {
    summary.fail(words.summary.trackingFailure, words.work.unable, null);
    return;
  }
  if (!(error instanceof Problem) || mayRetry(error)) {
    summary.fail(words.summary.trackingFailure, inWords(error), () => void ask());
    return;
  }
  void captcha.renew();
  /** @type {Fault[]} */
  const known = [];
  /** @type {string[]} */
  const others = [];
  for (const { field: name, message } of error.errors) {
    const field = fields.named(name);
    if (field === null) others.push(message);
    else known.push({ field, message });
  }
  if (error.code.startsWith("captcha_") && known.length === 0) {
    known.push({ field: "captcha.answer", message: error.title || words.captcha.wrong });
  }
  if (known.length > 0 || others.length > 0) summary.list(known, others);
  else summary.fail(words.summary.trackingFailure, error.code === "request_not_found" ? words.track.notFound : inWords(error), null);
}

/** @param {boolean} busy */
function showBusy(busy) {
  submit.dataset.state = busy ? "busy" : "idle";
  submit.setAttribute("aria-disabled", String(busy));
  submit.textContent = busy ? words.track.busy : words.track.idle;
}
