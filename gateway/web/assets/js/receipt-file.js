/** The receipt as a file: one page that needs no network, no script and no other file. */

import { pieces } from "./written.js";

const ESCAPES = /** @type {Record<string, string>} */ ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" });

const STYLE = `
body { max-width: 40rem; margin: 2rem auto; padding: 0 1rem; font: 1.1rem/1.9 Vazirmatn, Tahoma, sans-serif; color: #1b1b1b; background: #fff; }
h1 { font-size: 1.4rem; color: #14543f; }
dl div { display: flex; flex-wrap: wrap; gap: 0 1rem; padding: .3rem 0; border-bottom: 1px solid #ccc; }
dt { flex: 0 0 9rem; color: #555; }
dd { margin: 0; font-weight: 700; }
h2 { font-size: 1.1rem; }
.written { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
img { display: block; width: 4.5cm; height: 4.5cm; margin: 1rem 0; }
code { display: block; padding: .5rem; border: 1px solid #ccc; font-size: .8rem; line-height: 1.5; overflow-wrap: anywhere; text-align: left; }
`;

/**
 * @typedef {object} ReceiptFile
 * @property {string} language
 * @property {string} direction
 * @property {string} title
 * @property {string} issuer
 * @property {{ label: string, value: string, code?: boolean }[]} facts `code`: written from left to right
 * @property {{ label: string, text: string }} written the text of the request
 * @property {string | null} qr an SVG; null if it could not be drawn
 * @property {string} qrAlt
 * @property {string} how how to verify it
 * @property {string} address where to verify it
 * @property {string} token
 */

/**
 * @param {ReceiptFile} receipt
 * @returns {string} HTML
 */
export function receiptDocument(receipt) {
  const facts = receipt.facts.map(({ label, value, code = false }) => {
    const shown = code ? `<bdi dir="ltr">${escaped(value)}</bdi>` : escaped(value);
    return `<div><dt>${escaped(label)}</dt><dd>${shown}</dd></div>`;
  });
  const address = escaped(receipt.address);
  const picture = receipt.qr === null ? "" : `<img src="${escaped(imageOf(receipt.qr))}" alt="${escaped(receipt.qrAlt)}">\n`;
  return `<!doctype html>
<html lang="${escaped(receipt.language)}" dir="${escaped(receipt.direction)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(receipt.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<p>${escaped(receipt.issuer)}</p>
<h1>${escaped(receipt.title)}</h1>
<dl>
${facts.join("\n")}
</dl>
<h2>${escaped(receipt.written.label)}</h2>
<p class="written">${written(receipt.written.text)}</p>
${picture}<p>${escaped(receipt.how)}</p>
<p><a dir="ltr" href="${address}">${address}</a></p>
<code dir="ltr">${escaped(receipt.token)}</code>
</body>
</html>
`;
}

/**
 * @param {string} svg
 * @returns {string} a data URL of the picture
 */
export function imageOf(svg) {
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** @param {string} text */
function written(text) {
  return pieces(text).map((piece) => (piece.isNumber ? `<bdi dir="ltr">${escaped(piece.text)}</bdi>` : escaped(piece.text))).join("");
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] ?? "");
}
