/** Email addresses, read as in `desk.iran.email_address`. */

import { typedDigits } from "./digits.js";

/** @typedef {{ value: string, fault: null } | { value: null, fault: "format" | "local_part" }} EmailReading */

const LENGTH_MAX = 254;
const LOCAL_PART = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const DOMAIN = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])$/;

/**
 * The address in ASCII, or why it is not one. The browser converts the domain to its IDNA form.
 * @param {string} text
 * @returns {EmailReading}
 */
export function readEmail(text) {
  const address = /[\r\n]/.test(text.trim()) || text.length > LENGTH_MAX ? "" : typedDigits(text);
  const at = address.lastIndexOf("@");
  const local = address.slice(0, Math.max(at, 0));
  if (/[^\u0000-\u007f]/.test(local)) return { value: null, fault: "local_part" };
  const domain = asciiDomain(address.slice(at + 1));
  const value = `${local}@${domain}`;
  const isRight = at > 0 && LOCAL_PART.test(local) && local.length <= 64 && DOMAIN.test(domain) && value.length <= LENGTH_MAX;
  return isRight ? { value, fault: null } : { value: null, fault: "format" };
}

/**
 * @param {string} domain
 * @returns {string} its IDNA form in lower case, or "" if it has none
 */
function asciiDomain(domain) {
  if (/[\s/?#:@\\%]/.test(domain)) return "";
  try {
    return new URL(`http://${domain}`).hostname;
  } catch {
    return "";
  }
}
