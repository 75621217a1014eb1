// The QR code of a receipt: its form, and a page without the module from npm.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { qrOf } from "../web/assets/js/qr.js";

const NPM = new URL("../web/assets/npm/lean-qr.js", import.meta.url);
const ADDRESS = `https://desk.example.ir/verify#${"a1-_".repeat(150)}`;

test("without the module there is no QR code", async () => {
  assert.equal(await qrOf(ADDRESS, () => Promise.reject(new Error("missing"))), null);
});

test("runs of dark modules become lines, inside the quiet zone", async () => {
  const rows = ["##.", "..#", ".##"];
  const code = { size: 3, get: (/** @type {number} */ x, /** @type {number} */ y) => rows[y]?.[x] === "#" };
  const drawn = await qrOf("x", async () => ({ correction: { M: 1 }, generate: () => code }));
  assert.match(String(drawn), /viewBox="0 0 11 11"/);
  assert.match(String(drawn), /d="M4 4\.5h2M6 5\.5h1M5 6\.5h2"/);
});

test("the largest receipt fits on a print 4 cm wide", { skip: !existsSync(NPM) }, async () => {
  const drawn = String(await qrOf(ADDRESS, () => import(NPM.href)));
  const size = Number(/viewBox="0 0 (\d+) /.exec(drawn)?.[1]);
  assert.ok(40 / size > 0.38, `${size} modules`);
  assert.doesNotMatch(drawn, /style=|desk\.example/);
});
