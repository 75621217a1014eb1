/** Calls that are repeated with the proof of work that the desk requires. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Problem, readProblem } from "../web/assets/js/problem.js";
import { withProof } from "../web/assets/js/work.js";

/** @param {number} level */
const required = (level) => readProblem(429, JSON.stringify({ title: "x", code: "proof_required", level }), null);

/** @param {import("../web/assets/js/api.js").WorkPurpose} purpose @param {number} level */
const solve = async (purpose, level) => ({ id: purpose, solution: String(level) });

/**
 * A call that is refused with each of these problems in turn, and then succeeds.
 * @param {Problem[]} problems
 */
function refused(...problems) {
  /** @type {(import("../web/assets/js/api.js").Proof | null)[]} */
  const proofs = [];
  const call = async (/** @type {import("../web/assets/js/api.js").Proof | null} */ proof) => {
    proofs.push(proof);
    const problem = problems.shift();
    if (problem) throw problem;
    return "done";
  };
  return { call, proofs };
}

test("a call that needs no proof is made once, without one", async () => {
  const { call, proofs } = refused();
  assert.equal(await withProof("track", call, { solve }), "done");
  assert.deepEqual(proofs, [null]);
});

test("a required proof is solved at its level, and the same call is made again with it", async () => {
  const { call, proofs } = refused(required(1), required(2));
  let said = 0;
  assert.equal(await withProof("track", call, { solve, onRequired: () => { said += 1; } }), "done");
  assert.deepEqual(proofs, [null, { id: "track", solution: "1" }, { id: "track", solution: "2" }]);
  assert.equal(said, 2);
});

test("after three repeats the applicant sees a message", async () => {
  const { call, proofs } = refused(required(1), required(2), required(3), required(4));
  await assert.rejects(withProof("identity", call, { solve }), Problem);
  assert.equal(proofs.length, 4);
});

test("other problems are not answered with work", async () => {
  const limited = readProblem(429, JSON.stringify({ title: "x", code: "budget_exhausted", level: 3 }), "60");
  const { call, proofs } = refused(limited);
  await assert.rejects(withProof("track", call, { solve }), limited);
  assert.equal(proofs.length, 1);
});
