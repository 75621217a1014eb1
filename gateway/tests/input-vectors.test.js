/** The test vectors that the services use as well: the same rules for input everywhere. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { readEmail } from "../web/assets/js/email.js";
import { fold, searchKey } from "../web/assets/js/fold.js";
import { readNationalId } from "../web/assets/js/national-id.js";
import { readAreaCode, readLandline, readMobile } from "../web/assets/js/phone.js";
import { readTrackingCode } from "../web/assets/js/tracking-code.js";

const vectors = JSON.parse(readFileSync(new URL("../../contracts/vectors/input.json", import.meta.url), "utf8"));
const AREA_CODES = ["021", "031"];

/** @type {Record<string, (...typed: string[]) => string | null>} */
const READERS = {
  text: fold,
  search: searchKey,
  national_id: (typed) => readNationalId(typed).value,
  mobile: (typed) => international(readMobile(typed)),
  landline: (areaCode, number) => {
    const code = readAreaCode(areaCode, AREA_CODES);
    const own = code === null ? null : readLandline(number, code);
    return own === null ? null : international(`${code}${own}`);
  },
  tracking_code: readTrackingCode,
  email: (typed) => readEmail(typed).value,
};

/** @param {string | null} national */
function international(national) {
  return national === null ? null : `+98${national.slice(1)}`;
}

for (const [kind, read] of Object.entries(READERS)) {
  test(`${kind}: input is read as the services read it`, () => {
    assert.ok(vectors[kind].length > 10);
    for (const vector of vectors[kind]) {
      assert.equal(read(...vector.slice(0, -1)), vector.at(-1), JSON.stringify(vector));
    }
  });
}

test("an address with letters of another script before @ has its own reason", () => {
  assert.equal(readEmail("علی@gmail.com").fault, "local_part");
});
