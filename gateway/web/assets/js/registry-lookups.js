/** When the civil registry was asked about the applicant: fetched once the applicant wants to see it. */

import { readLookups } from "./api.js";
import { block, byId, make } from "./elements.js";
import { inWords } from "./failure.js";
import { Problem } from "./problem.js";
import { dayAndTimeOf } from "./tehran.js";
import { words } from "./words.js";

/** @typedef {import("./api.js").RegistryLookup} RegistryLookup */

let current = "";

/**
 * Offer the look-ups of a tracked request. In HTML: `#lookups_part`, a `details` with `#lookups` and `#lookups_status`.
 * @param {string} token the tracking token
 */
export function offerLookups(token) {
  const part = byId("lookups_part", HTMLDetailsElement);
  current = token;
  part.open = false;
  part.ontoggle = () => {
    if (part.open) void showLookups(token);
  };
}

/** @param {string} token */
async function showLookups(token) {
  const status = block("lookups_status");
  block("lookups").replaceChildren();
  status.textContent = words.track.lookupsBusy;
  try {
    const lookups = await readLookups(token);
    if (token !== current) return;
    status.textContent = lookups.length === 0 ? words.track.noLookups : "";
    block("lookups").replaceChildren(...items(lookups));
  } catch (error) {
    if (token !== current) return;
    // The desk does not have the whole request yet, or the registry's service does not answer.
    const soon = error instanceof Problem && [404, 503].includes(error.status);
    status.textContent = soon ? words.track.lookupsUnavailable : inWords(error);
  }
}

/**
 * @param {RegistryLookup[]} lookups newest first
 * @returns {HTMLElement[]} one for each purpose
 */
function items(lookups) {
  /** @type {Map<string, RegistryLookup[]>} */
  const groups = new Map();
  for (const lookup of lookups) {
    const meaning = words.track.lookups[lookup.purpose] ?? words.track.otherLookup;
    groups.set(meaning, [...groups.get(meaning) ?? [], lookup]);
  }
  return Array.from(groups, ([meaning, group]) => {
    const [newest] = group;
    if (newest === undefined) throw new Error("an empty group");
    const last = make("time", { datetime: newest.at }, dayAndTimeOf(newest.local));
    return group.length === 1
      ? make("li", {}, `${meaning}: `, last)
      : make("li", {}, `${meaning}: ${words.track.lookupTimes(group.length)} `, last);
  });
}
