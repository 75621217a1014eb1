import { GeneralEncrypt, generalDecrypt, importJWK, importPKCS8 } from 'jose'; // npm install jose

const WRAPPED = 'ECDH-ES+A256KW';
const SEALED = 'A256GCM';

/** Return the data of an event. The PEM is the office's private key: X25519 or P-256. */
export async function readData(event, pem) {
  const key = await importPKCS8(pem, WRAPPED);
  const { plaintext, protectedHeader } = await generalDecrypt(event.data, key, {
    keyManagementAlgorithms: [WRAPPED],
    contentEncryptionAlgorithms: [SEALED],
  });
  if (protectedHeader?.event_id !== event.id) throw new Error('the data is that of another event');
  return JSON.parse(new TextDecoder().decode(plaintext));
}

/** Return the data of a report, encrypted for every key of GET /api/event-keys. */
export async function sealData(data, reportId, keySet) {
  const sealed = new GeneralEncrypt(new TextEncoder().encode(JSON.stringify(data)));
  sealed.setProtectedHeader({ enc: SEALED, event_id: reportId });
  for (const jwk of keySet.keys) {
    sealed.addRecipient(await importJWK(jwk, WRAPPED)).setUnprotectedHeader({ alg: WRAPPED, kid: jwk.kid });
  }
  return sealed.encrypt();
}
