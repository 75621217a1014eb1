/** Clearing a draft: a button and a confirmation. */

import { block, button, byId } from "./elements.js";

/**
 * In HTML: the button `#clear_form`, and the dialog `#clear_question` with `#clear_yes` and `#clear_no`.
 * @param {() => void} clear
 */
export function offerToClear(clear) {
  const question = byId("clear_question", HTMLDialogElement);
  button("clear_form").addEventListener("click", () => question.showModal());
  button("clear_no").addEventListener("click", () => question.close());
  button("clear_yes").addEventListener("click", () => {
    question.close();
    clear();
  });
  block("clear_part").hidden = false;
}
