/** Resuming when the connection is back. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, Unreachable } from "../web/assets/js/problem.js";
import { Connection } from "../web/assets/js/connection.js";

/** A device whose connection can be lost; the test ends its pauses. */
function device() {
  const events = new EventTarget();
  const line = { isOnline: true, answers: true };
  /** @type {boolean[]} */
  const reported = [];
  /** @type {(() => void)[]} */
  const pauses = [];
  const connection = new Connection((isCut) => reported.push(isCut), {
    events,
    isOnline: () => line.isOnline,
    reach: async () => line.answers,
    pause: () => new Promise((resolve) => pauses.push(() => resolve(undefined))),
  });
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };
  return {
    connection, line, reported, settle,
    /** @param {string} name */
    happens: async (name) => {
      line.isOnline = name === "online";
      events.dispatchEvent(new Event(name));
      await settle();
    },
    passTime: async () => {
      for (const end of pauses.splice(0)) end();
      await settle();
    },
  };
}

test("the loss of a connection is reported once, and so is its end", async () => {
  const { reported, happens } = device();
  await happens("offline");
  assert.deepEqual(reported, [true]);
  await happens("online");
  assert.deepEqual(reported, [true, false]);
});

test("a device that says it is online is not trusted before the desk answers", async () => {
  const { connection, line, reported, passTime, settle } = device();
  line.answers = false;
  let isBack = false;
  void connection.back().then(() => { isBack = true; });
  await settle();
  await passTime();
  assert.deepEqual([isBack, reported], [false, [true]]);
  line.answers = true;
  await passTime();
  assert.deepEqual([isBack, reported], [true, [true, false]]);
});

test("a call without an answer is repeated when the connection is back", async () => {
  const { connection, happens, passTime, settle } = device();
  await happens("offline");
  let calls = 0;
  const answer = connection.insist(async () => {
    calls += 1;
    if (calls === 1) throw new Unreachable("cut");
    return "there";
  });
  await settle();
  await passTime();
  assert.equal(calls, 1);
  await happens("online");
  await passTime();
  assert.equal(await answer, "there");
});

test("an answer of the desk is final, even a refusal", async () => {
  const { connection } = device();
  let calls = 0;
  await assert.rejects(connection.insist(async () => {
    calls += 1;
    throw new Problem(503, {}, null);
  }), Problem);
  assert.equal(calls, 1);
});

test("with a connection but without an answer it gives up in the end", async () => {
  const { connection, passTime, settle } = device();
  let calls = 0;
  const answer = assert.rejects(connection.insist(async () => {
    calls += 1;
    throw new Unreachable("blocked");
  }), Unreachable);
  for (let turn = 0; turn < 10; turn += 1) {
    await settle();
    await passTime();
  }
  await answer;
  assert.equal(calls, 4);
});

test("a call that is no longer wanted is not repeated", async () => {
  const { connection, happens, passTime, settle } = device();
  await happens("offline");
  let calls = 0;
  let isWanted = true;
  const answer = assert.rejects(connection.insist(async () => {
    calls += 1;
    throw new Unreachable("cut");
  }, { isWanted: () => isWanted }), Unreachable);
  await settle();
  isWanted = false;
  await happens("online");
  await passTime();
  await answer;
  assert.equal(calls, 1);
});
