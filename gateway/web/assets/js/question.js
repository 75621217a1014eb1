/** The question of an office in the history of a request. */

/** @typedef {import("./api.js").HistoryEntry} HistoryEntry */

/**
 * @param {HistoryEntry[]} history
 * @returns {string} the latest question; a new mobile has a note in the same state, but is a record of its own
 */
export function questionOf(history) {
  const questions = history.filter(({ state, action, note }) => state === "info_requested" && action === null && note !== null);
  return questions[questions.length - 1]?.note ?? "";
}
