/** Which files may be uploaded. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFile, kindsInWords, sizeInWords } from "../web/assets/js/attachment-rules.js";

const LIMITS = { files_max: 5, file_bytes_max: 7_340_032, media_types: [], extensions: [".pdf", ".jpg", ".jpeg", ".png", ".heic", ".docx"] };

test("a file of any name may be uploaded, since its content decides", () => {
  for (const name of ["قبض.PDF", "photo.jfif", "1000012345", "image", "scan.jpe", "scan.png ", "scan.png\u200b"]) {
    assert.equal(checkFile({ name, size: 7_340_032 }, LIMITS, 4), null, name);
  }
});

test("each reason against a file has a message", () => {
  assert.match(checkFile({ name: "a.pdf", size: 0 }, LIMITS, 0) ?? "", /خالی/);
  assert.match(checkFile({ name: "a.pdf", size: 7_340_033 }, LIMITS, 0) ?? "", /۷ مگابایت/);
  assert.match(checkFile({ name: "a.pdf", size: 10 }, LIMITS, 5) ?? "", /۵ فایل/);
});

test("sizes and kinds are shown in Persian", () => {
  assert.equal(sizeInWords(500), "۵۰۰ بایت");
  assert.equal(sizeInWords(2_516_582), "۲٫۴ مگابایت");
  assert.equal(sizeInWords(7_340_032), "۷ مگابایت");
  assert.equal(kindsInWords(LIMITS.extensions).replaceAll("\u200f", ""), "PDF، JPG، PNG، HEIC یا DOCX");
  assert.equal(kindsInWords([".png", ".heic", ".heif"]).replaceAll("\u200f", ""), "PNG یا HEIC");
  assert.match(kindsInWords([".pdf", ".png"]), /^PDF\u200f/, "Latin names keep the order of the sentence");
});
