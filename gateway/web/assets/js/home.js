/** The home page: shows the notices of the desk. Without them the page is complete, so a failure is not shown. */

import "./started.js";
import { fetchCatalog } from "./api.js";
import { showNotices } from "./notices.js";

fetchCatalog().then((catalog) => showNotices(catalog, "home"), () => {});
