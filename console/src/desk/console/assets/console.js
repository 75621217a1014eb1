/** Comforts of the console: a prepared text goes to the cursor, and the file control speaks Persian. Pages work without it. */

const PERSIAN = "۰۱۲۳۴۵۶۷۸۹";
const persian = (number) => String(number).replace(/[0-9]/g, (digit) => PERSIAN[Number(digit)]);

/** Inserts the chosen prepared text at the cursor, and leaves what was typed. */
function insertAtCursor(button) {
  const box = document.getElementById(button.dataset.into);
  const text = document.getElementById(button.dataset.insert).selectedOptions[0]?.dataset.text ?? "";
  box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
  box.focus();
}

/** Says what is wrong with the chosen files, or nothing. The server checks again, the content too. */
function faultOf(input, files) {
  if (files.length > Number(input.dataset.most)) return `حداکثر ${persian(input.dataset.most)} فایل می‌توانید بفرستید.`;
  const large = files.find((file) => file.size > Number(input.dataset.bytes));
  return large === undefined ? "" : `«${large.name}» از ${persian(Math.round(Number(input.dataset.bytes) / 1024 / 1024))} مگابایت بزرگ‌تر است.`;
}

/** Shows the file control as a button with Persian words, and the names of the chosen files. */
function speakPersian(input) {
  const button = document.createElement("label");
  button.htmlFor = input.id;
  button.className = "button-secondary choose-files";
  button.setAttribute("aria-hidden", "true"); // the control has its own label
  button.textContent = "انتخاب فایل‌ها";
  const chosen = document.createElement("output");
  chosen.className = "chosen-files";
  chosen.htmlFor = input.id;
  input.classList.add("visually-hidden");
  input.after(button, chosen);
  const show = () => {
    const files = [...input.files];
    const fault = faultOf(input, files);
    input.setCustomValidity(fault);
    chosen.classList.toggle("error", fault !== "");
    chosen.replaceChildren(
      ...(fault === "" && files.length > 0
        ? files.map((file) => {
            const name = document.createElement("bdi");
            name.textContent = file.name;
            return name;
          })
        : [fault || "فایلی انتخاب نشده است"]),
    );
  };
  input.addEventListener("change", show);
  show();
}

for (const button of document.querySelectorAll("button[data-insert]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    insertAtCursor(button);
  });
}
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
document.querySelector("[data-focus]")?.focus();
for (const input of document.querySelectorAll('input[type="file"]')) speakPersian(input);
