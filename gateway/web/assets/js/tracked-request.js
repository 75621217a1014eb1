/** A request as its applicant sees it: the state, the answer, the history. */

import { downloadFile } from "./api.js";
import { millisecondsUntil } from "./desk-clock.js";
import { offerLookups } from "./registry-lookups.js";
import { sizeInWords } from "./attachment-rules.js";
import { block, make } from "./elements.js";
import { inWords } from "./failure.js";
import { digits } from "./language.js";
import { saveFile } from "./save-file.js";
import { showTitles, subjectTitle } from "./subject-titles.js";
import { dayAndTimeOf, dayOf } from "./tehran.js";
import { inGroups } from "./tracking-code.js";
import { named, words } from "./words.js";
import { showWritten } from "./written.js";

/** @typedef {import("./api.js").TrackedRequest} TrackedRequest */
/** @typedef {import("./api.js").Answer} Answer */
/** @typedef {import("./api.js").HistoryEntry} HistoryEntry */

/** States after which no answer is due. */
const SETTLED = ["answered", "unanswered", "closed", "rejected", "withdrawn", "identity_rejected"];

/**
 * Show the request instead of the form. In HTML: `#result` with `#moved`, `#state`, `#answer`, `#history`, `#lookups_part` and the
 * `#result_…` elements.
 * @param {TrackedRequest} request
 */
export function showTracked(request) {
  const state = block("state");
  state.textContent = named("states", request.state, request.state_title);
  block("result_notice").dataset.state = request.state;
  state.dataset.state = request.state;
  block("state_meaning").textContent = words.track.meaning[request.state] ?? "";
  block("result_code").textContent = inGroups(request.tracking_code);
  block("result_province").textContent = named("provinces", request.province.key, request.province.name);
  block("result_office_row").hidden = request.office.key === request.province.key;
  block("result_office").textContent = named("offices", request.office.key, request.office.name);
  showTitles([request.subject, request.sub_subject], () => {
    block("result_subject").textContent = subjectTitle(request.subject);
    block("result_sub_subject").textContent = subjectTitle(request.sub_subject);
  });
  block("result_submitted_at").textContent = dayAndTimeOf(request.submitted_local);
  block("result_due").textContent = words.track.due(dayOf(request.due_local));
  const settled = SETTLED.includes(request.state);
  block("result_due_row").hidden = settled;
  const note = settled ? "" : dueNote(request);
  block("result_due_note").textContent = note;
  block("result_due_note").hidden = note === "";
  showAnswer(request.answer, request.token);
  showSent(request);
  block("history").replaceChildren(...newestFirst(request.history).map((step) => entry(step, request.token)));
  offerLookups(request.token);

  block("moved").hidden = true;
  block("query").hidden = true;
  block("result").hidden = false;
  document.title = `${words.track.title} | ${document.title.split(" | ").slice(1).join(" | ")}`;
  window.scrollTo(0, 0);
  block("result_title").focus({ preventScroll: true });
}

/**
 * @param {TrackedRequest} request
 * @returns {string} a note on the time of the answer; empty if the answer is not late
 */
function dueNote(request) {
  if (request.state === "info_requested") return words.track.paused;
  return millisecondsUntil(request.due_at) < 0 ? words.track.overdue : "";
}

/**
 * @param {Answer | null} answer
 * @param {string} token
 */
function showAnswer(answer, token) {
  block("answer_section").hidden = answer === null;
  if (answer === null) return;
  showWritten(block("answer"), answer.text);
  block("answer_at").textContent = dayAndTimeOf(answer.local);
  const files = answer.files ?? [];
  block("answer_files_part").hidden = files.length === 0;
  block("answer_files").replaceChildren(...files.map((file) => caseFile(file, token)));
}

/**
 * What the applicant has sent: text, files, and masked contacts, so that an onlooker cannot read them. In HTML: a row with
 * `data-sent` (the name in the API) and a `bdi` for each value; rows without a value are hidden.
 * @param {TrackedRequest} request
 */
function showSent(request) {
  const { text, attachments, contact, source, token } = request;
  showWritten(block("sent_text"), text);
  block("sent_files_part").hidden = attachments.length === 0;
  block("sent_files").replaceChildren(...attachments.map((file) => caseFile(file, token)));
  const { email, mobile, landline } = contact;
  /** @type {Record<string, unknown>} */
  const sent = { ...request, email, mobile: digits(mobile), landline: digits(landline ?? ""), source: words.track.sources[source ?? ""] };
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-sent]"))) {
    const value = sent[row.dataset.sent ?? ""] ?? "";
    row.hidden = value === "";
    /** @type {HTMLElement} */ (row.querySelector("bdi")).textContent = String(value);
  }
}

/**
 * A file's name as a button. It is downloaded with the tracking token, which must not be part of an address.
 * @param {import("./api.js").CaseFile} file
 * @param {string} token
 */
function caseFile({ id, name, size }, token) {
  const fetchIt = make("button", { type: "button", class: "button-quiet" }, make("bdi", {}, name));
  const failure = make("p", { class: "notice notice-error", role: "alert" });
  failure.hidden = true;
  const status = make("span", { class: "status", role: "status" });
  fetchIt.addEventListener("click", async () => {
    if (fetchIt.dataset.state === "busy") return;
    failure.hidden = true;
    fetchIt.dataset.state = "busy";
    status.textContent = ` ${words.draft.opening}`;
    try {
      saveFile(await downloadFile(id, token), name);
    } catch (error) {
      failure.textContent = inWords(error);
      failure.hidden = false;
    } finally {
      delete fetchIt.dataset.state;
      status.textContent = "";
    }
  });
  return make("li", {}, fetchIt, ` (${sizeInWords(size)})`, status, failure);
}

/**
 * @param {HistoryEntry[]} history
 * @returns {HistoryEntry[]}
 */
function newestFirst(history) {
  return [...history].reverse().sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
}

/**
 * @param {HistoryEntry} step
 * @param {string} token
 */
function entry({ at, local, state, title, note, action, files = [] }, token) {
  return make(
    "li",
    { "data-state": state },
    make("h3", {}, named("states", action ?? state, title)),
    make("time", { datetime: at }, dayAndTimeOf(local)),
    ...(note ? [action === "contact_changed" ? make("p", {}, make("bdi", { dir: "ltr" }, digits(note))) : written(note)] : []),
    ...(files.length > 0 ? [make("ul", { class: "sent-files", "aria-label": words.track.sentFiles }, ...files.map((file) => caseFile(file, token)))] : []),
  );
}

/** @param {string} text */
function written(text) {
  const shown = make("p", { class: "written" });
  showWritten(shown, text);
  return shown;
}
