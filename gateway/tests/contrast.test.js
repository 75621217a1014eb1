/** Every pair of colours that occurs on a page, in every scheme, by the formula of WCAG 2.2. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const TOKENS = readFileSync(new URL("../web/assets/css/tokens.css", import.meta.url), "utf8");

/** Text and its background. */
const TEXT = [
  ["text", "page"], ["text", "surface"], ["text", "sunken"],
  ["text-quiet", "page"], ["text-quiet", "surface"], ["text-quiet", "sunken"],
  ["link", "page"], ["link", "surface"], ["link", "sunken"], ["link", "success-surface"],
  ["on-brand", "brand"], ["on-brand", "brand-strong"], ["on-brand-quiet", "brand"],
  ["success-text", "success-surface"], ["waiting-text", "waiting-surface"],
  ["error-text", "error-surface"], ["error-text", "surface"], ["text", "error-surface"], ["text", "waiting-surface"],
];

/** Edges of controls, focus rings and marks, and their background. */
const EDGES = [
  ["edge", "surface"], ["edge", "page"], ["edge", "sunken"],
  ["error-edge", "surface"], ["error-edge", "error-surface"],
  ["success-edge", "surface"], ["success-edge", "success-surface"], ["success-edge", "sunken"],
  ["waiting-edge", "surface"], ["waiting-edge", "waiting-surface"], ["waiting-edge", "sunken"],
  ["focus", "page"], ["focus", "surface"], ["focus", "sunken"],
  ["focus-on-brand", "brand"], ["focus-on-brand", "brand-strong"],
];

/** The colours of each scheme; a later block overrides only the colours it names. */
const light = colours(/^:root \{(.*?)^\}/ms);
const dark = { ...light, ...colours(/\(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}/s) };
const schemes = {
  light,
  dark,
  "light, more contrast": { ...light, ...colours(/\n@media screen and \(prefers-contrast: more\) \{\s*:root \{(.*?)\}/s) },
  "dark, more contrast": { ...dark, ...colours(/\(prefers-contrast: more\) and \(prefers-color-scheme: dark\) \{\s*:root \{(.*?)\}/s) },
};

for (const [name, scheme] of Object.entries(schemes)) {
  const [least, leastOfEdges] = name.endsWith("more contrast") ? [7, 4.5] : [4.5, 3];
  test(`text is readable: ${name}`, () => checkPairs(scheme, TEXT, least));
  test(`edges, marks and the focus are visible: ${name}`, () => checkPairs(scheme, EDGES, leastOfEdges));
}

test("the ratio is WCAG's", () => {
  assert.equal(ratio("#ffffff", "#000000"), 21);
  assert.ok(Math.abs(ratio("#777777", "#ffffff") - 4.48) < 0.01);
});

/**
 * @param {Record<string, string>} scheme
 * @param {string[][]} pairs
 * @param {number} least
 */
function checkPairs(scheme, pairs, least) {
  const low = pairs
    .map(([front, back]) => ({ front, back, ratio: ratio(scheme[front ?? ""] ?? "", scheme[back ?? ""] ?? "") }))
    .filter((pair) => !(pair.ratio >= least))
    .map((pair) => `${pair.front} on ${pair.back}: ${pair.ratio.toFixed(2)}`);
  assert.deepEqual(low, []);
}

/** @param {RegExp} block @returns {Record<string, string>} */
function colours(block) {
  const body = block.exec(TOKENS)?.[1];
  assert.ok(body, `tokens.css has no block ${block}`);
  return Object.fromEntries(Array.from(body.matchAll(/--([a-z-]+): (#[0-9a-f]{3,6});/g), ([, name, value]) => [name, long(value ?? "")]));
}

/** @param {string} hex */
function long(hex) {
  return hex.length === 7 ? hex : hex.replace(/[0-9a-f]/g, "$&$&");
}

/** @param {string} one @param {string} other */
function ratio(one, other) {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((first, second) => second - first);
  return (high + 0.05) / (low + 0.05);
}

/** @param {string} hex */
function luminance(hex) {
  const [red = NaN, green = NaN, blue = NaN] = [1, 3, 5].map((place) => {
    const part = parseInt(hex.slice(place, place + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
