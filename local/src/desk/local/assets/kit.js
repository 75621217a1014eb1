/** The page of components: brings the live ones to life, and shows the schemes whatever the device asks for. */

import { BirthDate } from "/assets/js/birth-date.js";
import { Combobox } from "/assets/js/combobox.js";
import { fillSelect, input, select } from "/assets/js/elements.js";
import { words } from "/assets/js/words.js";

for (const list of document.querySelectorAll("select[data-combobox]")) new Combobox(list);
fillSelect(select("birth_month"), "انتخاب", words.months.map((label, index) => ({ value: String(index + 1), label })));
new BirthDate();

const rules = Array.from(document.styleSheets, (sheet) => Array.from(sheet.cssRules)).flat()
  .filter((rule) => rule instanceof CSSMediaRule && /prefers-(color-scheme|contrast)/.test(rule.media.mediaText))
  .map((rule) => ({ rule, asked: rule.media.mediaText }));

for (const control of document.querySelectorAll("#scheme input")) control.addEventListener("change", showScheme);

/** What a style asks of the device is answered by the page: true is a condition that always holds, false one that never does. */
function showScheme() {
  const scheme = document.querySelector("#scheme [name=scheme]:checked").value;
  const contrast = input("scheme_contrast").checked;
  document.documentElement.dataset.scheme = scheme;
  for (const { rule, asked } of rules) {
    let text = asked;
    if (scheme !== "device") text = text.replace("(prefers-color-scheme: dark)", scheme === "dark" ? "(min-width: 0)" : "(max-width: 0)");
    if (contrast) text = text.replace("(prefers-contrast: more)", "(min-width: 0)");
    rule.media.mediaText = text;
  }
}
