/** Messages for failed calls. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Unreachable, readProblem } from "../web/assets/js/problem.js";
import { inWords, mayRetry } from "../web/assets/js/failure.js";

/** @param {number} status @param {string} title @param {string | null} [retryAfter] */
const problem = (status, title, retryAfter = null) => readProblem(status, JSON.stringify({ title, code: "x" }), retryAfter);

test("a call without an answer mentions the connection, and may be repeated", () => {
  assert.match(inWords(new Unreachable()), /اینترنت/);
  assert.equal(mayRetry(new Unreachable()), true);
});

test("an error page of a proxy mentions the desk", () => {
  const error = readProblem(502, "<html>bad gateway</html>", null);
  assert.match(inWords(error), /^سامانه/);
  assert.equal(mayRetry(error), true);
});

test("the desk's own words come first, and advice only if they contain none", () => {
  assert.equal(inWords(problem(503, "ثبت احوال پاسخ نمی‌دهد")), "ثبت احوال پاسخ نمی‌دهد. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید.");
  assert.equal(inWords(problem(503, "کمی بعد دوباره تلاش کنید.")), "کمی بعد دوباره تلاش کنید.");
  assert.equal(inWords(problem(422, "درست نیست.")), "درست نیست.");
});

test("an exceeded rate limit says how long to wait", () => {
  const error = problem(429, "استعلام‌ها بیش از اندازه است.", "540");
  assert.equal(inWords(error), "استعلام‌ها بیش از اندازه است. لطفاً حدود ۹ دقیقهٔ دیگر دوباره تلاش کنید.");
  assert.equal(mayRetry(error), true);
});

test("a refusal is not repeated", () => {
  assert.equal(mayRetry(problem(422, "x")), false);
});

test("refusals of the gateway itself have whole sentences", () => {
  /** @param {string} code @param {string | null} retryAfter */
  const said = (code, retryAfter = null) => {
    const text = readFileSync(new URL(`../web/errors/${code}.json`, import.meta.url), "utf8");
    return inWords(readProblem(JSON.parse(text).status, text, retryAfter));
  };
  assert.equal(said("rate_limited", "5"), "درخواست‌های پی‌درپی از سوی شما بیش از اندازه بوده است. لطفاً ۵ ثانیهٔ دیگر دوباره تلاش کنید.");
  assert.equal(said("upstream_unavailable", "10"), "سامانه در این لحظه پاسخ نمی‌دهد. لطفاً ۱۰ ثانیهٔ دیگر دوباره تلاش کنید.");
  assert.equal(said("upstream_unavailable"), "سامانه در این لحظه پاسخ نمی‌دهد. لطفاً چند دقیقهٔ دیگر دوباره تلاش کنید.");
  assert.equal(said("body_too_large"), "اندازهٔ دادهٔ فرستاده‌شده بیش از حد مجاز است.");
});
