/**
 * The signed receipt (docs/adr/0054): read it, verify its signature, compare it with a text and files. No page, no network.
 *
 * @typedef {Uint8Array<ArrayBuffer>} Bytes
 * @typedef {{ code: string, at: Date, textDigest: string, fileDigests: string[], keyId: string }} SignedReceipt
 * @typedef {{ kty: string, crv: string, x: string, kid: string }} PublicKey
 * @typedef {(key: Bytes, signature: Bytes, message: Bytes) => Promise<boolean>} Verifier
 * @typedef {"malformed" | "version" | "unknown_key" | "forged"} Fault
 * @typedef {{ receipt: SignedReceipt, fault: null } | { receipt: null, fault: Fault }} Verdict
 */

import { fold } from "./fold.js";

const TYPE = "haj-receipt-1";
const KIND = /^haj-receipt-\d+$/;
const ALGORITHM = "Ed25519";
const FILES_MOST = 50;
const TOKEN_MOST = 4_000;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const DIGEST = /^[A-Za-z0-9_-]{43}$/;
const TOKEN = /(?:^|[^A-Za-z0-9_.-])(eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)(?![A-Za-z0-9_.-])/;

/**
 * Find the token in pasted text, in an address or in a saved receipt; it may be broken into lines.
 * @param {string} text
 * @returns {string | null}
 */
export function findToken(text) {
  return (TOKEN.exec(text) ?? TOKEN.exec(text.replace(/[\s\u200e\u200f\u2066-\u2069]+/g, "")))?.[1] ?? null;
}

/**
 * Verify a token with the desk's keys.
 * @param {string} token
 * @param {PublicKey[]} keys
 * @param {Verifier} verify
 * @returns {Promise<Verdict>} with a receipt only if the desk has signed exactly this
 */
export async function checkToken(token, keys, verify) {
  const [header = "", payload = "", signature = "", ...more] = token.length > TOKEN_MOST ? [] : token.split(".");
  const head = objectIn(header);
  if (more.length > 0 || head === null) return fault("malformed");
  if (typeof head.typ !== "string" || !KIND.test(head.typ)) return fault("malformed");
  if (head.typ !== TYPE || head.alg !== ALGORITHM || head.crit !== undefined) return fault("version");
  const signed = bytesOf(signature);
  const receipt = receiptIn(objectIn(payload), head.kid);
  if (receipt === null || signed === null || signed.length !== SIGNATURE_BYTES) return fault("malformed");
  const key = keys.find((each) => each.kid === receipt.keyId && each.kty === "OKP" && each.crv === ALGORITHM);
  const raw = key === undefined ? null : bytesOf(key.x);
  if (raw === null || raw.length !== KEY_BYTES) return fault("unknown_key");
  const genuine = await verify(raw, signed, new TextEncoder().encode(`${header}.${payload}`));
  return genuine ? { receipt, fault: null } : fault("forged");
}

/**
 * @param {string} text as it was typed
 * @returns {Promise<string>} the hash in the receipt: of the UTF-8 of the text in its stored form
 */
export function digestOfText(text) {
  return digestOf(new TextEncoder().encode(fold(text)));
}

/**
 * @param {BufferSource} content of a file
 * @returns {Promise<string>} its SHA-256, base64url
 */
export async function digestOf(content) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  return btoa(String.fromCharCode(...digest)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/**
 * Return which files are those of the receipt. A file that was sent once matches once.
 * @param {string[]} digests of the receipt
 * @param {{ name: string, digest: string }[]} chosen
 * @returns {{ files: { name: string, matches: boolean }[], missing: number }} and the number of files that were not chosen
 */
export function compareFiles(digests, chosen) {
  const left = [...digests];
  const files = chosen.map(({ name, digest }) => {
    const place = left.indexOf(digest);
    if (place >= 0) left.splice(place, 1);
    return { name, matches: place >= 0 };
  });
  return { files, missing: left.length };
}

/**
 * @param {Fault} reason
 * @returns {Verdict}
 */
function fault(reason) {
  return { receipt: null, fault: reason };
}

/**
 * @param {Record<string, unknown> | null} claims
 * @param {unknown} keyId
 * @returns {SignedReceipt | null}
 */
function receiptIn(claims, keyId) {
  if (claims === null || typeof keyId !== "string") return null;
  const { c: code, t: seconds, x: textDigest, f: digests } = claims;
  if (typeof code !== "string" || !/^[0-9]{12}$/.test(code)) return null;
  if (typeof seconds !== "number" || !Number.isSafeInteger(seconds) || seconds < 0 || seconds > 1e11) return null;
  if (typeof textDigest !== "string" || !DIGEST.test(textDigest)) return null;
  if (!Array.isArray(digests) || digests.length > FILES_MOST) return null;
  if (!digests.every((digest) => typeof digest === "string" && DIGEST.test(digest))) return null;
  return { code, at: new Date(seconds * 1_000), textDigest, fileDigests: digests, keyId };
}

/**
 * @param {string} part base64url of JSON
 * @returns {Record<string, unknown> | null}
 */
function objectIn(part) {
  const bytes = bytesOf(part);
  if (bytes === null) return null;
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * @param {string} text base64url without padding
 * @returns {Bytes | null}
 */
function bytesOf(text) {
  if (!/^[A-Za-z0-9_-]+$/.test(text)) return null;
  try {
    const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  } catch {
    return null;
  }
}
