/** Finds and creates typed elements. Text is inserted as text, never as HTML. */

/**
 * Return the element with this id. Throws if the page does not have it.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} type
 * @returns {T}
 */
export function byId(id, type) {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`this page has no ${type.name} #${id}`);
}

/** @param {string} id */
export const input = (id) => byId(id, HTMLInputElement);

/** @param {string} id */
export const select = (id) => byId(id, HTMLSelectElement);

/** @param {string} id */
export const button = (id) => byId(id, HTMLButtonElement);

/** @param {string} id */
export const block = (id) => byId(id, HTMLElement);

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string>} [attributes]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * @param {HTMLSelectElement} list
 * @param {string} placeholder the text of the empty choice
 * @param {{ value: string, label: string }[]} choices
 */
export function fillSelect(list, placeholder, choices) {
  list.replaceChildren(
    new Option(placeholder, ""),
    ...choices.map(({ value, label }) => new Option(label, value)),
  );
}
