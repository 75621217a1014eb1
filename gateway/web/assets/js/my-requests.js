/** The page «کدها و درخواست‌های من»: a national ID and a proven mobile in, the list of requests out. */

import "./started.js";
import { listOwnRequests } from "./api.js";
import { Problem } from "./problem.js";
import { watchedConnection } from "./connection-notice.js";
import { block, button, byId, input, make } from "./elements.js";
import { ErrorSummary } from "./error-summary.js";
import { inWords, mayRetry } from "./failure.js";
import { Fields, holdStill } from "./fields.js";
import { readIdentityNumber } from "./identity-number.js";
import { handOver } from "./opened-request.js";
import { readMobile } from "./phone.js";
import { checkIdentityNumber, checkMobile } from "./request-rules.js";
import { SmsCode } from "./sms-code.js";
import { showTitles, subjectTitle } from "./subject-titles.js";
import { dayAndTimeOf } from "./tehran.js";
import { inGroups } from "./tracking-code.js";
import { named, words } from "./words.js";
import { WorkFailed, withProof } from "./work.js";
import { WorkNotice } from "./work-notice.js";

/** @typedef {import("./api.js").OwnRequest} OwnRequest */
/** @typedef {import("./fields.js").Fault} Fault */

const form = byId("own_form", HTMLFormElement);
const nationalId = input("national_id");
const mobile = input("mobile");
const submit = button("submit");

const fields = new Fields(form);
const summary = new ErrorSummary(fields);
const connection = watchedConnection();
const workNotice = new WorkNotice("list");
const code = new SmsCode("requests", { fields, mobile: () => readMobile(mobile.value), wrong: () => checkMobile(mobile.value) ?? words.mobile.wrong, connection });
let asking = false;

start();

function start() {
  fields.checkOnLeaving("national_id", nationalId, checkIdentityNumber);
  fields.checkOnLeaving("mobile", mobile, checkMobile);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask();
  });
  holdStill(submit);
  submit.disabled = false;
}

/** @returns {Fault[]} */
function faults() {
  const typed = { national_id: checkIdentityNumber(nationalId.value), mobile: checkMobile(mobile.value) };
  const found = Object.entries(typed).flatMap(([field, message]) => (message === null ? [] : [{ field, message }]));
  return code.fault === null ? found : [...found, code.fault];
}

async function ask() {
  if (asking) return;
  const found = faults();
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
      mobile: readMobile(mobile.value) ?? "",
      mobile_code: code.answer ?? { id: "", answer: "" },
    };
    const call = (/** @type {import("./api.js").Proof | null} */ proof) => listOwnRequests(proof === null ? query : { ...query, proof });
    show(await connection.insist(() => withProof("track", call, workNotice.watch)));
  } catch (error) {
    explain(error);
  } finally {
    asking = false;
    workNotice.hide();
    showBusy(false);
  }
}

/** @param {import("./api.js").OwnRequests} found */
function show({ requests, more }) {
  block("none").hidden = requests.length > 0;
  block("opening_hint").hidden = requests.length === 0;
  block("more").hidden = !more;
  const subjects = requests.flatMap(({ subject, sub_subject: subSubject }) => [subject, subSubject]);
  showTitles(subjects, () => block("own_requests").replaceChildren(...requests.map(entry)));
  block("query").hidden = true;
  block("result").hidden = false;
  window.scrollTo(0, 0);
  block("result_title").focus({ preventScroll: true });
}

/** @param {OwnRequest} request */
function entry(request) {
  const grouped = inGroups(request.tracking_code);
  const link = make("a", { href: "/track", class: "button-secondary", "aria-label": words.ownRequests.open(grouped) }, words.ownRequests.openShort);
  link.addEventListener("click", (event) => handOver(request.token, event));
  return make(
    "li",
    { class: "panel own-request", "data-state": request.state },
    make("h2", {}, make("bdi", { dir: "ltr", class: "nowrap" }, grouped)),
    make("p", { class: "own-state" }, named("states", request.state, request.state_title)),
    make("p", {}, `${subjectTitle(request.subject)}: ${subjectTitle(request.sub_subject)}`),
    make("p", { class: "hint" }, officeName(request.office)),
    make("p", { class: "hint" }, `${words.ownRequests.submitted} `, make("time", { datetime: request.submitted_at }, dayAndTimeOf(request.submitted_local))),
    make("p", {}, link),
  );
}

/** @param {{ key: string, name: string }} office */
function officeName({ key, name }) {
  const place = named("offices", key, named("provinces", key, name));
  return words.ownRequests.office(place);
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof WorkFailed) {
    summary.fail(words.ownRequests.failure, words.work.unable, null);
    return;
  }
  if (!(error instanceof Problem) || mayRetry(error)) {
    summary.fail(words.ownRequests.failure, inWords(error), () => void ask());
    return;
  }
  if (error.code === "mobile_code_expired") code.forget();
  const known = error.errors.flatMap(({ field: name, message }) => {
    const field = fields.named(name);
    return field === null ? [] : [{ field, message }];
  });
  if (known.length > 0) summary.list(known);
  else summary.fail(words.ownRequests.failure, inWords(error), null);
}

/** @param {boolean} busy */
function showBusy(busy) {
  submit.dataset.state = busy ? "busy" : "idle";
  submit.setAttribute("aria-disabled", String(busy));
  submit.textContent = busy ? words.ownRequests.busy : words.ownRequests.idle;
}
