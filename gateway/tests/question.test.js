import assert from "node:assert/strict";
import { test } from "node:test";

import { questionOf } from "../web/assets/js/question.js";

/**
 * @param {string} state
 * @param {import("../web/assets/js/api.js").HistoryEntry["action"]} action
 * @param {string | null} note
 */
const step = (state, action, note) => ({ at: "", local: "", state, title: "", note, action, files: [] });

test("the question is the latest one, and not the mobile that was given after it", () => {
  const history = [
    step("info_requested", null, "شمارهٔ گذرنامه چیست؟"),
    step("in_progress", "reply", "الف"),
    step("info_requested", null, "و شمارهٔ قبض؟"),
    step("info_requested", "opened", null),
    step("info_requested", "contact_changed", "0912*****21"),
  ];
  assert.equal(questionOf(history), "و شمارهٔ قبض؟");
});

test("a request without a question has none", () => {
  assert.equal(questionOf([step("registered", null, "یادداشت")]), "");
});
