/** Shows that the connection is lost, and that it is back; visible at every scroll position. */

import { Connection } from "./connection.js";
import { make } from "./elements.js";
import { words } from "./words.js";

const SHOWN_FOR_MS = 6_000;

/** @returns {Connection} with its notice above everything in `<main>` */
export function watchedConnection() {
  const text = make("p", {});
  const notice = make("div", { id: "connection", class: "connection", role: "status" }, text);
  document.querySelector("main")?.prepend(notice);
  let timer = 0;
  return new Connection((isCut) => {
    clearTimeout(timer);
    notice.dataset.state = isCut ? "cut" : "back";
    text.textContent = isCut ? words.connection.cut : words.connection.back;
    if (!isCut) {
      timer = window.setTimeout(() => {
        text.textContent = "";
        delete notice.dataset.state;
      }, SHOWN_FOR_MS);
    }
  });
}
