/** Solves the proof of work of a form, and sends the form when both the solution and the person are ready. */

const PERSIAN_STATUS = {
  working: "دستگاه شما در حال محاسبه است. می‌توانید فرم را پر کنید.",
  sending: "محاسبه که تمام شود، فرم خودش فرستاده می‌شود.",
  ready: "محاسبه انجام شد. اکنون می‌توانید ادامه دهید.",
  expired: "زمان محاسبه گذشته است. صفحه را تازه کنید.",
  impossible: "این مرورگر نمی‌تواند محاسبه را انجام دهد. با نشانی https و یک مرورگر تازه‌تر تلاش کنید.",
};
const VALID_MS = 290_000;

const bytes = (hexadecimal) => Uint8Array.from(hexadecimal.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hexadecimal = (key) => Array.from(key, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Derives a key for each counter until one has the required prefix (altcha's second algorithm). */
async function solve({ cost, keyLength, keyPrefix, nonce, salt, most }) {
  const prefix = bytes(keyPrefix);
  const start = bytes(nonce);
  const password = new Uint8Array(start.length + 4);
  password.set(start);
  const counterPart = new DataView(password.buffer, start.length);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: bytes(salt), iterations: cost };
  for (let counter = 0; counter <= most; counter += 1) {
    counterPart.setUint32(0, counter);
    const material = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const key = new Uint8Array(await crypto.subtle.deriveBits(how, material, keyLength * 8));
    if (prefix.every((byte, place) => byte === key[place])) return hexadecimal(key);
  }
  throw new Error("no counter fits");
}

const box = document.getElementById("proof");
const form = box.closest("form");
const status = document.getElementById("proof_status");
const solution = box.querySelector('[name="proof_solution"]');
let waiting = false;

form.addEventListener("submit", (event) => {
  if (solution.value !== "") return;
  event.preventDefault();
  waiting = true;
  status.textContent = PERSIAN_STATUS.sending;
});

async function prove() {
  if (globalThis.crypto?.subtle === undefined) {
    status.textContent = PERSIAN_STATUS.impossible;
    return;
  }
  status.textContent = PERSIAN_STATUS.working;
  const work = JSON.parse(box.dataset.work);
  const pause = new Promise((resume) => setTimeout(resume, work.wait * 1000));
  const [found] = await Promise.all([solve(work), pause]);
  solution.value = found;
  status.textContent = PERSIAN_STATUS.ready;
  setTimeout(() => (status.textContent = PERSIAN_STATUS.expired), VALID_MS);
  if (waiting) form.requestSubmit();
}

prove();
