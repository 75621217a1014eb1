/** To which paths files are uploaded, and where the page shows them. */

/**
 * Kinds of files: their path, and the ids in HTML of the input, its hint, the list and the place for news.
 * @typedef {{ path: string, input: string, hint: string, list: string, news: string }} Kind
 */

/** @type {Kind} */
export const OF_A_REQUEST = {
  path: "/api/attachments",
  input: "attachments",
  hint: "attachments_hint",
  list: "attachment_list",
  news: "attachment_news",
};

/** @type {Kind} */
export const OF_A_REPLY = {
  path: "/api/files",
  input: "reply_files",
  hint: "reply_files_hint",
  list: "reply_file_list",
  news: "reply_file_news",
};
