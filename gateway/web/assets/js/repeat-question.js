/** The question whether the same request is meant to be sent again within a day. */

import { button, byId } from "./elements.js";

/**
 * In HTML: the dialog `#repeat_question` with `#repeat_yes` and `#repeat_no`.
 * @returns {Promise<boolean>} whether it is meant
 */
export function askToRepeat() {
  const question = byId("repeat_question", HTMLDialogElement);
  return new Promise((resolve) => {
    const yes = () => question.close("yes");
    const no = () => question.close("no");
    button("repeat_yes").addEventListener("click", yes);
    button("repeat_no").addEventListener("click", no);
    question.addEventListener("close", () => {
      button("repeat_yes").removeEventListener("click", yes);
      button("repeat_no").removeEventListener("click", no);
      resolve(question.returnValue === "yes");
    }, { once: true });
    question.returnValue = "no";
    question.showModal();
  });
}
