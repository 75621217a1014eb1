import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { byBrowser, findVerifier } from "../web/assets/js/ed25519.js";
import { fold } from "../web/assets/js/fold.js";
import { checkToken, compareFiles, digestOf, digestOfText, findToken } from "../web/assets/js/receipt-token.js";

/** @type {{ keys: import("../web/assets/js/receipt-token.js").PublicKey[], code: string, at: string, typed: string, files: string[], token: string, token_without_files: string, folded: { typed: string, stored: string }[] }} */
const made = JSON.parse(readFileSync(new URL("./vectors/receipt-vectors.json", import.meta.url), "utf8"));
const [header = "", payload = "", signature = ""] = made.token.split(".");
const NPM = new URL("../web/assets/npm/noble-ed25519.js", import.meta.url);

/** @param {string} token */
const check = (token) => checkToken(token, made.keys, byBrowser);

/** @param {unknown} value */
const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** @param {string} text */
const json = (text) => JSON.parse(Buffer.from(text, "base64url").toString());

test("a token that the desk has signed is read", async () => {
  const { receipt, fault } = await check(made.token);
  assert.equal(fault, null);
  assert.equal(receipt?.code, made.code);
  assert.equal(receipt?.at.getTime(), Date.parse(made.at));
  assert.equal(receipt?.fileDigests.length, made.files.length);
  assert.deepEqual((await check(made.token_without_files)).receipt?.fileDigests, []);
});

test("every change of a receipt is detected", async () => {
  const claims = json(payload);
  for (const changed of [
    { ...claims, c: "123456789013" },
    { ...claims, t: claims.t + 1 },
    { ...claims, x: await digestOfText("another text") },
    { ...claims, f: claims.f.slice(1) },
  ]) {
    assert.equal((await check(`${header}.${part(changed)}.${signature}`)).fault, "forged");
  }
  const flipped = Buffer.from(signature, "base64url");
  flipped.writeUInt8(flipped.readUInt8(40) ^ 1, 40);
  assert.equal((await check(`${header}.${payload}.${flipped.toString("base64url")}`)).fault, "forged");
});

test("a receipt signed by an unpublished key is not genuine", async () => {
  assert.equal((await checkToken(made.token, [], byBrowser)).fault, "unknown_key");
  const other = part({ ...json(header), kid: "another1" });
  assert.equal((await check(`${other}.${payload}.${signature}`)).fault, "unknown_key");
  const wrong = made.keys.map((key) => ({ ...key, x: "AA" }));
  assert.equal((await checkToken(made.token, wrong, byBrowser)).fault, "unknown_key");
});

test("only the token and signature type of receipts is accepted", async () => {
  for (const change of [{ alg: "none" }, { alg: "HS256" }, { alg: "EdDSA" }, { typ: "haj-receipt-2" }, { crit: ["exp"] }]) {
    assert.equal((await check(`${part({ ...json(header), ...change })}.${payload}.${signature}`)).fault, "version");
  }
  assert.equal((await check(`${part({ ...json(header), typ: "JWT" })}.${payload}.${signature}`)).fault, "malformed");
});

test("text without a token and a forged token have different reasons", async () => {
  const claims = json(payload);
  for (const broken of [
    "",
    "a.b",
    "not a token",
    `${header}.${payload}`,
    `${header}.${payload}.${signature}.x`,
    `${header}.${payload}.${signature.slice(0, 40)}`,
    `${header}.${part([])}.${signature}`,
    `${header}.${part({ ...claims, c: "12345" })}.${signature}`,
    `${header}.${part({ ...claims, t: "1" })}.${signature}`,
    `${header}.${part({ ...claims, t: 1e300 })}.${signature}`,
    `${header}.${part({ ...claims, x: "short" })}.${signature}`,
    `${header}.${part({ ...claims, f: "none" })}.${signature}`,
    `${header}.${part({ ...claims, f: [1] })}.${signature}`,
    `${header}.${"A".repeat(9_000)}.${signature}`,
  ]) {
    assert.equal((await check(broken)).fault, "malformed", broken.slice(-60));
  }
});

test("a token is found in an address, in a file and broken into lines", () => {
  assert.equal(findToken(made.token), made.token);
  assert.equal(findToken(` https://desk.example.ir/verify#${made.token}\n`), made.token);
  assert.equal(findToken(`<p>«کد»</p><pre id="token">${made.token}</pre>`), made.token);
  assert.equal(findToken((made.token.match(/.{1,64}/g) ?? []).join("\r\n")), made.token);
  assert.equal(findToken("\u2066" + made.token + "\u2069"), made.token);
  for (const none of ["", "123456789012", "a.b.c", "https://desk.example.ir/verify"]) assert.equal(findToken(none), null);
});

test("a text is hashed as the desk stores it", async () => {
  const { receipt } = await check(made.token);
  assert.equal(await digestOfText(made.typed), receipt?.textDigest);
  assert.equal(await digestOfText(fold(made.typed)), receipt?.textDigest);
  assert.notEqual(await digestOfText(`${made.typed}.`), receipt?.textDigest);
});

test("a text is folded as the desk folds it", () => {
  for (const { typed, stored } of made.folded) assert.equal(fold(typed), stored);
});

test("files match the receipt or not, each once, in any order", async () => {
  const { receipt } = await check(made.token);
  const digests = receipt?.fileDigests ?? [];
  const chosen = await Promise.all(
    made.files.map(async (text) => ({ name: text, digest: await digestOf(new TextEncoder().encode(text)) })),
  );
  const [first, second, third] = /** @type {[typeof chosen[0], typeof chosen[0], typeof chosen[0]]} */ (/** @type {unknown} */ (chosen));
  const strange = { name: "strange", digest: await digestOfText("strange") };

  assert.deepEqual(compareFiles(digests, [third, first, second]).files.map(({ matches }) => matches), [true, true, true]);
  assert.equal(compareFiles(digests, [third, first, second]).missing, 0);
  assert.deepEqual(compareFiles(digests, [first, first, strange]).files.map(({ matches }) => matches), [true, false, false]);
  assert.equal(compareFiles(digests, [first, first, strange]).missing, 2);
});

test("without Ed25519 in the browser the npm module is used, and without both nothing is verified", async (context) => {
  context.mock.method(crypto.subtle, "importKey", () => Promise.reject(new DOMException("no", "NotSupportedError")));
  assert.equal(await findVerifier(() => Promise.reject(new Error("not there"))), null);
  assert.equal(await findVerifier(() => Promise.resolve({ verifyAsync: () => Promise.resolve(true) })), null, "one that says yes to all");
  if (!existsSync(NPM)) return context.skip("gateway/install has found no npm");
  const verify = await findVerifier(() => import(NPM.href));
  if (verify === null) return assert.fail("the module from npm does not verify");
  assert.equal((await checkToken(made.token, made.keys, verify)).fault, null);
  assert.equal((await checkToken(`${header}.${part({ ...json(payload), c: "123456789013" })}.${signature}`, made.keys, verify)).fault, "forged");
});
