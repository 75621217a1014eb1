/**
 * Does a proof of work in a web worker (altcha's second algorithm): derives a key for each counter until one has the
 * required prefix. Receives the challenge; posts `{ done, most }` from time to time, and finally `{ solution }` or `{ failed }`.
 */

/** @typedef {import("./api.js").WorkChallenge} WorkChallenge */

const REPORT_EVERY_MS = 100;

self.addEventListener("message", (event) => {
  work(event.data).then(
    (solution) => self.postMessage({ solution }),
    (error) => self.postMessage({ failed: String(error) }),
  );
});

/** @param {WorkChallenge} challenge @returns {Promise<string>} the key in hexadecimal */
async function work({ algorithm, cost, keyLength, keyPrefix, nonce, salt, most }) {
  if (algorithm !== "PBKDF2/SHA-256") throw new Error(`unknown algorithm ${algorithm}`);
  const prefix = bytes(keyPrefix);
  const start = bytes(nonce);
  const password = new Uint8Array(start.length + 4);
  password.set(start);
  const counterPart = new DataView(password.buffer, start.length);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  let reported = performance.now();
  for (let counter = 0; counter <= most; counter += 1) {
    counterPart.setUint32(0, counter);
    const material = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const key = new Uint8Array(await crypto.subtle.deriveBits(how, material, keyLength * 8));
    if (prefix.every((byte, place) => byte === key[place])) return hexadecimal(key);
    if (performance.now() - reported < REPORT_EVERY_MS) continue;
    reported = performance.now();
    self.postMessage({ done: counter, most });
  }
  throw new Error("no counter fits");
}

/** @param {string} text hexadecimal */
function bytes(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** @param {Uint8Array} key */
function hexadecimal(key) {
  return Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
