/** The desk's routes for offices: files, each call with an assertion of its own, and the keys for reports. */

import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { importPKCS8, SignJWT } from 'jose';

const TIMEOUT_MS = 60_000;

/** The desk has refused a call; the text names its code and the fields at fault. */
export class DeskError extends Error {
  constructor(status, { code = '', errors = [] }) {
    super(`the desk answers ${[status, code, ...errors.map(({ field }) => field)].join(' ')}`);
    this.status = status;
  }
}

export class Desk {
  #url;
  #province;
  #privateKey;

  /** The PEM is the office's private Ed25519 key. */
  constructor(url, province, pem) {
    this.#url = url;
    this.#province = province;
    this.#privateKey = importPKCS8(pem, 'EdDSA');
  }

  /** Return the JWK Set for which reports are encrypted. */
  async keys() {
    return (await this.#fetch('/api/event-keys')).json();
  }

  /** Return the content of a file. Raises `DeskError`, or `Error` if it is not what the event says. */
  async download({ id, size, sha256 }) {
    const response = await this.#fetch(`/api/office/files/${id}`, await this.#signed());
    const content = Buffer.from(await response.arrayBuffer());
    if (content.length !== size) throw new Error(`file ${id} has ${content.length} bytes instead of ${size}`);
    const digest = createHash('sha256').update(content).digest('hex');
    if (digest !== sha256) throw new Error(`file ${id} has another SHA-256`);
    return content;
  }

  /** Upload a file for a case; return what an answer says of it. */
  async upload(code, path) {
    const body = new FormData();
    body.append('tracking_code', code);
    body.append('file', new Blob([await readFile(path)]), basename(path));
    return (await this.#fetch('/api/office/files', { method: 'POST', body, ...(await this.#signed()) })).json();
  }

  async #signed() {
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setIssuer(this.#province)
      .setAudience('desk.files')
      .setIssuedAt()
      .setExpirationTime('60s')
      .sign(await this.#privateKey);
    return { headers: { authorization: `Bearer ${assertion}` } };
  }

  async #fetch(path, options = {}) {
    const response = await fetch(new URL(path, this.#url), { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new DeskError(response.status, await response.json().catch(() => ({})));
    return response;
  }
}
