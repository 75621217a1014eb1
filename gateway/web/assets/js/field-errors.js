/** The desk's errors in a form, sorted by the fields of the page. */

/** @typedef {import("./problem.js").FieldError} FieldError */
/** @typedef {import("./fields.js").Fault} Fault */
/** @typedef {import("./fields.js").Fields} Fields */

/**
 * @param {FieldError[]} errors
 * @param {Fields} fields
 * @returns {{ known: Fault[], others: string[] }} errors with a field on this page, and messages of the others
 */
export function byField(errors, fields) {
  /** @type {Map<string, Fault>} */
  const known = new Map();
  /** @type {string[]} */
  const others = [];
  for (const { field: name, message } of errors) {
    const field = fields.named(name) ?? fields.named(name.split(/[.[]/)[0] ?? "");
    if (field === null) others.push(message);
    else if (!known.has(field)) known.set(field, { field, message });
  }
  return { known: [...known.values()], others };
}
