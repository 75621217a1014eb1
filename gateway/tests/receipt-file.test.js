import assert from "node:assert/strict";
import { test } from "node:test";
import { imageOf, receiptDocument } from "../web/assets/js/receipt-file.js";
import { findToken } from "../web/assets/js/receipt-token.js";

const RECEIPT = {
  language: "fa",
  direction: "rtl",
  title: "رسید <b>",
  issuer: "میز & خدمت",
  facts: [
    { label: "کد پیگیری", value: "۱۲۳۴ ۵۶۷۸ ۹۰۱۲", code: true },
    { label: "موضوع", value: '"><script>alert(1)</script>' },
  ],
  qr: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1"/></svg>',
  written: { label: "متن", text: "سطر ۱ <b>\nسطر ۲" },
  qrAlt: "کد QR",
  how: "بررسی کنید",
  address: "http://127.0.0.1:8080/verify",
  token: `eyJ${"a".repeat(70)}.eyJ${"b".repeat(150)}.${"c".repeat(86)}`,
};

test("the saved receipt contains its data as text, and its token can be found again", () => {
  const html = receiptDocument(RECEIPT);
  assert.match(html, /^<!doctype html>\n<html lang="fa" dir="rtl">/);
  assert.match(html, /<h1>رسید &lt;b&gt;<\/h1>/);
  assert.match(html, /<bdi dir="ltr">۱۲۳۴ ۵۶۷۸ ۹۰۱۲<\/bdi>/);
  assert.match(html, /سطر ۱ &lt;b&gt;\nسطر ۲/);
  assert.equal(findToken(html), RECEIPT.token);
});

test("the saved receipt runs no script and loads nothing", () => {
  const html = receiptDocument(RECEIPT);
  assert.doesNotMatch(html, /<script|<link|\son[a-z]+=/i);
  assert.deepEqual(Array.from(html.matchAll(/src="([^:"]*)/g), (match) => match[1]), ["data"]);
});

test("a picture is a data URL that needs no escaping", () => {
  assert.doesNotMatch(imageOf(RECEIPT.qr), /["<>#&]/);
  assert.equal(decodeURIComponent(imageOf(RECEIPT.qr).replace("data:image/svg+xml,", "")), RECEIPT.qr);
});
