/** Downloads of files: with the token in a header, complete or not at all. */

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { downloadFile } from "../web/assets/js/api.js";
import { Problem, Unreachable } from "../web/assets/js/problem.js";

const usual = globalThis.fetch;
/** @type {{ path: string, headers: Headers }[]} */
let calls = [];

/** @param {() => Response} answer */
function answerWith(answer) {
  calls = [];
  globalThis.fetch = async (path, options) => {
    calls.push({ path: String(path), headers: new Headers(options?.headers) });
    return answer();
  };
}

afterEach(() => {
  globalThis.fetch = usual;
});

/** @param {boolean} broken */
function body(broken) {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode("%PDF-"));
      if (broken) {
        controller.error(new TypeError("the connection was closed"));
        return;
      }
      controller.enqueue(new TextEncoder().encode("1.7"));
      controller.close();
    },
  });
}

test("a file is downloaded whole, and the token is in no address", async () => {
  answerWith(() => new Response(body(false), { headers: { "Content-Type": "application/pdf" } }));

  const file = await downloadFile("a/b", "token");

  assert.equal(await file.text(), "%PDF-1.7");
  assert.equal(file.type, "application/pdf");
  assert.equal(calls[0]?.path, "/api/files/a%2Fb");
  assert.equal(calls[0]?.headers.get("Authorization"), "Bearer token");
});

test("a download that ends too early is no file", async () => {
  answerWith(() => new Response(body(true)));

  await assert.rejects(downloadFile("a", "token"), Unreachable);
});

test("a refused download has the desk's reason", async () => {
  answerWith(() => new Response(JSON.stringify({ code: "file_unknown", title: "این فایل پیدا نشد." }), { status: 404 }));

  await assert.rejects(downloadFile("a", "token"), (error) => error instanceof Problem && error.code === "file_unknown");
});
