/** The page «ارسال درخواست»: puts its parts together and sends the request. */

import { Problem, fetchCatalog, sendRequest } from "./api.js";
import { USUAL_FILE_LIMITS } from "./attachment-rules.js";
import { Attachments, OF_A_REQUEST } from "./attachments.js";
import { BirthDate } from "./birth-date.js";
import { Captcha } from "./captcha.js";
import { Combobox } from "./combobox.js";
import { block, button, byId, fillSelect, input, select } from "./elements.js";
import { ErrorSummary } from "./error-summary.js";
import { inWords, mayRetry } from "./failure.js";
import { Fields, holdStill } from "./fields.js";
import { IdempotencyKey } from "./idempotency.js";
import { readIdentityNumber } from "./identity-number.js";
import { Identity } from "./identity.js";
import { digits, language } from "./language.js";
import { checkName } from "./name-rules.js";
import { readLandline, readMobile } from "./phone.js";
import { showReceipt } from "./receipt.js";
import { checkCaptchaAnswer, checkEmail, checkIdentityNumber, checkLandline, checkMobile, checkText } from "./request-rules.js";
import { Stepper } from "./stepper.js";
import { TextCounter } from "./text-counter.js";
import { named, words } from "./words.js";

/** @typedef {import("./api.js").Catalog} Catalog */
/** @typedef {import("./api.js").Limits} Limits */
/** @typedef {import("./api.js").Names} Names */
/** @typedef {import("./api.js").RequestContent} RequestContent */
/** @typedef {import("./api.js").FieldError} FieldError */
/** @typedef {import("./api.js").Receipt} Receipt */
/** @typedef {import("./fields.js").Fault} Fault */

/** A person who pauses this long has finished a field; longer while a digit of the day may be missing. */
const PAUSE_MS = 400;
const LONG_PAUSE_MS = 1_500;

/** Until the catalogue is there. */
/** @type {Limits} */
const USUAL_LIMITS = {
  text_min: 10,
  text_max: 4_000,
  media_types: [],
  ...USUAL_FILE_LIMITS,
};

const NAME_FIELDS = ["applicant.first_name", "applicant.last_name", "applicant.gender"];

const form = byId("request_form", HTMLFormElement);
const nationalId = input("national_id");
const firstName = input("first_name");
const lastName = input("last_name");
const province = select("province");
const email = input("email");
const mobile = input("mobile");
const areaCode = input("landline_area_code");
const landline = input("landline_number");
const subject = select("subject");
const subSubject = select("sub_subject");
const text = byId("text", HTMLTextAreaElement);
const submit = button("submit");

const provinceList = new Combobox(province);
const steps = new Stepper(block("steps"));
const fields = new Fields(form);
const summary = new ErrorSummary(fields);
const captcha = new Captcha("submit");
const birthDate = new BirthDate();
const key = new IdempotencyKey();
const counter = new TextCounter(text, USUAL_LIMITS.text_max);
const identity = new Identity({ onChange: identityChanged, onRefused: showAtFields });
const attachments = new Attachments(OF_A_REQUEST, USUAL_LIMITS, {
  onChange: () => {
    if (fields.isShown("attachments") && attachments.fault === null) fields.clear("attachments");
    showSteps();
  },
  renewIdentity: () => identity.renew(),
});

/** @type {Catalog | null} */
let catalog = null;
let sending = false;
let pause = 0;

start();

function start() {
  attachments.limitTo(USUAL_LIMITS);
  void loadCatalog();
  void captcha.renew();

  for (const control of [nationalId, ...birthDate.controls]) {
    control.addEventListener("input", identityTyped);
    control.addEventListener("change", identityLeft);
  }
  province.addEventListener("input", () => fields.clear("province"));
  province.addEventListener("change", () => {
    showAreaCode();
    if (provinceList.isUnmatched) fields.show({ field: "province", message: words.province.unmatched });
  });
  subject.addEventListener("change", showSubSubjects);
  subSubject.addEventListener("change", showAnswerTime);
  checkOnLeaving("applicant.first_name", firstName, () => checkName(firstName.value, words.names.first));
  checkOnLeaving("applicant.last_name", lastName, () => checkName(lastName.value, words.names.last));
  for (const choice of [input("gender_female"), input("gender_male")]) {
    choice.addEventListener("change", () => fields.clear("applicant.gender"));
  }
  checkOnLeaving("mobile", mobile, () => checkMobile(mobile.value));
  checkOnLeaving("email", email, () => checkEmail(email.value));
  checkOnLeaving("landline", landline, () => checkLandline(landline.value, chosenAreaCode()));
  for (const field of ["province", "subject", "sub_subject", "text", "captcha.answer"]) {
    fields.controlOf(field).addEventListener("input", () => fields.clear(field));
  }
  for (const type of ["input", "change"]) form.addEventListener(type, showSteps);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send();
  });

  holdStill(submit);
  submit.disabled = false;
  identityChanged();
  considerIdentity();
}

async function loadCatalog() {
  try {
    catalog = await fetchCatalog();
  } catch (error) {
    for (const list of [province, subject]) fillSelect(list, words.notLoaded, []);
    summary.fail(words.summary.catalogFailure, inWords(error), () => {
      summary.hide();
      void loadCatalog();
    });
    return;
  }
  attachments.limitTo(catalog.limits);
  counter.limitTo(catalog.limits.text_max);
  fillSelect(province, words.province.choose, catalog.provinces.map(({ key: value, name }) => ({ value, label: named("provinces", value, name) })));
  for (const { key, name, area_code: code } of catalog.provinces) {
    const option = province.querySelector(`option[value="${key}"]`);
    if (option instanceof HTMLOptionElement) option.dataset.search = `${code} ${name}`;
  }
  fillSelect(subject, words.subject.choose, catalog.subjects.map(({ key: value, title }) => ({ value, label: named("subjects", value, title) })));
  showAreaCode();
  showSubSubjects();
  showSteps();
}

/** A part is complete if nothing in it is left to mend; the last one is only by being sent. */
function showSteps() {
  const open = faults().map(({ field }) => `[data-field="${field}"]`);
  if (identity.identified === null) open.push("#identity");
  steps.show((part) => !part.contains(submit) && !open.some((selector) => part.querySelector(selector) !== null));
}

function showAreaCode() {
  areaCode.value = digits(chosenAreaCode());
}

/** @returns {string} in ASCII digits; empty while no province is chosen */
function chosenAreaCode() {
  return catalog?.provinces.find((candidate) => candidate.key === province.value)?.area_code ?? "";
}

function subSubjects() {
  return catalog?.subjects.find((candidate) => candidate.key === subject.value)?.sub_subjects ?? [];
}

function showSubSubjects() {
  const choices = subSubjects().map(({ key: value, title }) => ({ value, label: named("subjects", value, title) }));
  fillSelect(subSubject, choices.length > 0 ? words.subSubject.choose : words.subSubject.subjectFirst, choices);
  fields.clear("sub_subject");
  showAnswerTime();
}

function showAnswerTime() {
  const chosen = subSubjects().find((candidate) => candidate.key === subSubject.value);
  block("sub_subject_hint").textContent = chosen?.answer_within_days ? words.subSubject.answerWithin(chosen.answer_within_days) : "";
}

/**
 * Tell about a fault when the field is left, and that it is mended as soon as it is.
 * @param {string} field
 * @param {HTMLInputElement} control
 * @param {() => string | null} check
 */
function checkOnLeaving(field, control, check) {
  control.addEventListener("change", () => {
    const message = check();
    if (message === null || control.value.trim() === "") fields.clear(field);
    else fields.show({ field, message });
  });
  control.addEventListener("input", () => {
    if (fields.isShown(field) && check() === null) fields.clear(field);
  });
}

/** While typing, only complete values count: nine digits may become ten. */
function identityTyped() {
  clearTimeout(pause);
  const complete = readIdentityNumber(nationalId.value).value;
  if (fields.isShown("national_id") && complete !== null) fields.clear("national_id");
  if (fields.isShown("birth_date") && birthDate.read().value !== null) fields.clear("birth_date");
  if (identity.state !== "idle") considerIdentity({ onlyForget: true });
  if (complete !== null && nationalId.value.trim().length < 10) return;
  pause = window.setTimeout(considerIdentity, birthDate.mayGoOn ? LONG_PAUSE_MS : PAUSE_MS);
}

/** @param {Event} event */
function identityLeft(event) {
  clearTimeout(pause);
  const { value } = readIdentityNumber(nationalId.value);
  if (value !== null) padWithZeros(value);
  if (event.target === nationalId) {
    const message = checkIdentityNumber(nationalId.value);
    if (message === null || nationalId.value.trim() === "") fields.clear("national_id");
    else fields.show({ field: "national_id", message });
  } else if (birthDate.isFilled) {
    const { message, ...rest } = birthDate.read();
    if (message === null) fields.clear("birth_date");
    else fields.show({ field: "birth_date", message, ...("controls" in rest && { controls: rest.controls }) });
  }
  considerIdentity();
  markRefused();
}

/**
 * Show the zeros that were missing in front, in the digits that were typed.
 * @param {string} value ten ASCII digits
 */
function padWithZeros(value) {
  const typed = nationalId.value.trim();
  if (typed.length >= value.length) return;
  const zero = /[۰-۹]/.test(typed) ? "۰" : "0";
  nationalId.value = zero.repeat(value.length - typed.length) + typed;
}

/** @param {{ onlyForget?: boolean }} [options] onlyForget: drop what no longer holds, ask nothing */
function considerIdentity({ onlyForget = false } = {}) {
  const id = readIdentityNumber(nationalId.value).value;
  const date = birthDate.read().value;
  if (onlyForget && id !== null && date !== null) return;
  identity.consider(id, date);
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
  markRefused();
  attachments.belongTo(identity.identified);
  showSteps();
}

/** The registry refuses the pair, so all of its fields are in doubt; the reason stands at the names. */
function markRefused() {
  for (const field of ["birth_date", "national_id"]) fields.doubt(field, identity.state === "refused");
}

/** @returns {Fault[]} everything there is to mend */
function faults() {
  /** @type {Fault[]} */
  const found = [];
  /** @param {string} field @param {string | null} message */
  const note = (field, message) => {
    if (message !== null) found.push({ field, message });
  };
  const limits = catalog?.limits ?? USUAL_LIMITS;
  const birth = birthDate.read();
  if (birth.message !== null) found.push({ field: "birth_date", message: birth.message, controls: birth.controls });
  note("national_id", checkIdentityNumber(nationalId.value));
  if (found.length === 0 && identity.state === "refused") note("birth_date", identity.message);
  const { typed } = identity;
  if (typed !== null) {
    note("applicant.first_name", checkName(typed.first_name, words.names.first));
    note("applicant.last_name", checkName(typed.last_name, words.names.last));
    note("applicant.gender", typed.gender === "" ? words.names.gender : null);
  }
  if (province.value === "") note("province", provinceList.isUnmatched ? words.province.unmatched : words.province.missing);
  note("email", checkEmail(email.value));
  note("mobile", checkMobile(mobile.value));
  note("landline", checkLandline(landline.value, chosenAreaCode()));
  note("subject", subject.value === "" ? words.subject.missing : null);
  note("sub_subject", subSubject.value === "" ? words.subSubject.missing : null);
  note("text", checkText(text.value, limits));
  note("attachments", attachments.fault);
  note("captcha.answer", captcha.answer === null ? words.captcha.notLoaded : checkCaptchaAnswer(captcha.answer.answer));
  return found;
}

/** @returns {string[]} why nothing can be sent although every field is right */
function identityFaults() {
  if (identity.state === "busy") return [words.identity.wait];
  return identity.state === "failed" ? [words.submit.reason.failed ?? ""] : [];
}

/** @returns {RequestContent} */
function content() {
  const number = readLandline(landline.value, chosenAreaCode());
  return {
    province: province.value,
    ...(email.value.trim() !== "" && { email: email.value.trim() }),
    mobile: readMobile(mobile.value) ?? "",
    ...(number !== null && { landline: { area_code: chosenAreaCode(), number } }),
    subject: subject.value,
    sub_subject: subSubject.value,
    text: text.value,
    attachments: attachments.ids,
    language,
  };
}

async function send() {
  if (sending) return;
  clearTimeout(pause);
  considerIdentity();
  if (!mended()) return;
  sending = true;
  summary.hide();
  try {
    if (attachments.isBusy) {
      showBusy(words.submit.waitingFiles);
      await attachments.settled();
      if (!mended()) return;
    }
    showBusy(words.submit.busy);
    const receipt = await sendOnce();
    if (receipt !== null) showReceipt(receipt);
  } catch (error) {
    explain(error);
  } finally {
    sending = false;
    showBusy(null);
  }
}

/** @returns {boolean} whether nothing is left to mend; if not, the applicant is told what */
function mended() {
  if (identity.state === "barred") {
    summary.fail(words.summary.failure, identity.message, null);
    return false;
  }
  const found = faults();
  const others = identityFaults();
  if (found.length === 0 && others.length === 0) return true;
  summary.list(found, others);
  return false;
}

/**
 * Sends, and once more if the identity token has run out meanwhile.
 * @returns {Promise<Receipt | null>} null if the registry has gone away since and the applicant must type their names
 */
async function sendOnce() {
  try {
    return await post();
  } catch (error) {
    if (!(error instanceof Problem && error.status === 401)) throw error;
    if ((await identity.renew()) === null) throw error;
    await attachments.settled();
    return mended() ? post() : null;
  }
}

/** Typed names are no part of what the key stands for: between two tries the registry may come back and name the applicant. */
function post() {
  const body = content();
  const answer = captcha.answer ?? { id: "", answer: "" };
  const applicant = /** @type {Names | null} */ (identity.typed);
  return sendRequest({ ...body, ...(applicant !== null && { applicant }), captcha: answer }, identity.identified?.token ?? "", key.for(body));
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof Problem) || mayRetry(error)) {
    captcha.hold();
    summary.fail(words.summary.failure, inWords(error), () => void send());
    return;
  }
  key.forget();
  void captcha.renew();
  if (error.errors.some(({ field }) => field.startsWith("attachments")) && error.code !== "too_many_files") attachments.sendAgain();
  const { known, others } = sorted(error.errors);
  if (error.code.startsWith("captcha_") && known.length === 0) {
    known.push({ field: "captcha.answer", message: error.title || words.captcha.wrong });
  }
  if (error.status === 401 && identity.identified === null) others.push(identity.message);
  if (known.length === 0 && others.length === 0) summary.fail(words.summary.failure, inWords(error), null);
  else summary.list(known, others);
}

/** @param {FieldError[]} errors */
function showAtFields(errors) {
  for (const fault of sorted(errors).known) fields.show(fault);
}

/**
 * @param {FieldError[]} errors
 * @returns {{ known: Fault[], others: string[] }} what belongs to a field of this page, and what does not
 */
function sorted(errors) {
  /** @type {Map<string, Fault>} */
  const known = new Map();
  /** @type {string[]} */
  const others = [];
  for (const { field: name, message } of errors) {
    const field = fields.named(name) ?? fields.named(name.split(/[.[]/)[0] ?? "");
    if (field === null) others.push(message);
    else if (!known.has(field)) known.set(field, { field, message });
  }
  return { known: [...known.values()], others };
}

/** @param {string | null} message null: no longer busy */
function showBusy(message) {
  submit.dataset.state = message === null ? "idle" : "busy";
  submit.setAttribute("aria-disabled", String(message !== null || identity.identified === null));
  submit.textContent = message ?? words.submit.idle;
}
