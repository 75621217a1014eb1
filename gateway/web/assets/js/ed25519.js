/** Verifying Ed25519 signatures: by the browser if it can, otherwise by the module that gateway/install gets from npm. */

/** @typedef {import("./receipt-token.js").Verifier} Verifier */

const FROM_NPM = "/assets/npm/noble-ed25519.js";

/** RFC 8032, 7.1, test 1: a signature of nothing. A browser may know the name but not the curve. */
const KNOWN_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const KNOWN_SIGNATURE = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";

/**
 * @param {(path: string) => Promise<unknown>} [load]
 * @returns {Promise<Verifier | null>} null if no implementation can verify a signature
 */
export async function findVerifier(load = (path) => import(path)) {
  if (await works(byBrowser)) return byBrowser;
  const other = await fromNpm(load);
  return other !== null && (await works(other)) ? other : null;
}

/** @type {Verifier} */
export async function byBrowser(key, signature, message) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

/**
 * @param {(path: string) => Promise<unknown>} load
 * @returns {Promise<Verifier | null>}
 */
async function fromNpm(load) {
  try {
    const module = /** @type {{ verifyAsync: (signature: Uint8Array, message: Uint8Array, key: Uint8Array, options: { zip215: boolean }) => Promise<boolean> }} */ (await load(FROM_NPM));
    return (key, signature, message) => module.verifyAsync(signature, message, key, { zip215: false });
  } catch {
    return null;
  }
}

/**
 * @param {Verifier} verify
 * @returns {Promise<boolean>}
 */
async function works(verify) {
  const [key, signature] = [bytesOf(KNOWN_KEY), bytesOf(KNOWN_SIGNATURE)];
  try {
    return (await verify(key, signature, new Uint8Array())) && !(await verify(key, signature, new Uint8Array(1)));
  } catch {
    return false;
  }
}

/** @param {string} hex */
function bytesOf(hex) {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
