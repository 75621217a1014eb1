/** The QR code of a receipt (ISO/IEC 18004), drawn by the module that gateway/install gets from npm. */

const FROM_NPM = "/assets/npm/lean-qr.js";
const QUIET = 4; // modules, as the standard requires

/** @typedef {{ size: number, get: (x: number, y: number) => boolean }} Code */
/** @typedef {{ generate: (text: string, options: object) => Code, correction: { M: number } }} Drawing */

/**
 * Draw a text as an SVG without a fixed size: each module is one unit. Correction M restores 15 %, enough for a fold in
 * the paper.
 * @param {string} text
 * @param {(path: string) => Promise<unknown>} [load]
 * @returns {Promise<string | null>} null if the module is missing; the receipt is complete without it
 */
export async function qrOf(text, load = (path) => import(path)) {
  const drawing = await loaded(load);
  if (drawing === null) return null;
  const level = drawing.correction.M;
  const code = drawing.generate(text, { minCorrectionLevel: level, maxCorrectionLevel: level });
  const size = code.size + 2 * QUIET;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}">`
    + `<path fill="#fff" d="M0 0h${size}v${size}H0z"/><path stroke="#000" d="${lines(code)}"/></svg>`;
}

/**
 * @param {(path: string) => Promise<unknown>} load
 * @returns {Promise<Drawing | null>}
 */
async function loaded(load) {
  try {
    return /** @type {Drawing} */ (await load(FROM_NPM));
  } catch {
    return null;
  }
}

/**
 * Return a path with one horizontal line for each run of dark modules.
 * @param {Code} code
 */
function lines(code) {
  let path = "";
  for (let y = 0; y < code.size; y += 1) {
    for (let x = 0; x < code.size; x += 1) {
      if (!code.get(x, y) || code.get(x - 1, y)) continue;
      let length = 1;
      while (code.get(x + length, y)) length += 1;
      path += `M${x + QUIET} ${y + QUIET}.5h${length}`;
    }
  }
  return path;
}
