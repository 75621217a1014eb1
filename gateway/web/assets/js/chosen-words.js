/** The words of the page's language. gateway/bundle.js puts that language's module in the place of this one. */

import { language } from "./language.js";

/** @type {typeof import("./words.fa.js").words} */
export const words = (await (language === "en" ? import("./words.en.js") : import("./words.fa.js"))).words;
