// The encrypted examples of the contract, read by the program that the contract shows for Node.js.

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { readData, sealData } from './examples/events.mjs';

const contracts = new URL('../../contracts/', import.meta.url);
const read = (path) => JSON.parse(readFileSync(new URL(path, contracts), 'utf8'));
const pem = (jwk) => createPrivateKey({ key: jwk, format: 'jwk' }).export({ format: 'pem', type: 'pkcs8' });
const { keys } = read('encrypted/keys.json');
const names = readdirSync(new URL('encrypted/', contracts)).filter((name) => name !== 'keys.json');
const kids = (event) => event.data.recipients.map(({ header }) => header.kid);

test('there are encrypted examples', () => assert.ok(names.length >= 20));

for (const name of names) {
  test(`${name} is read with each key of its receivers, and with no other`, async () => {
    const event = read(`encrypted/${name}`);
    const clear = read(`events/${name}`);
    for (const key of Object.values(keys).flat()) {
      if (kids(event).includes(key.kid)) assert.deepEqual(await readData(event, pem(key)), clear.data);
      else await assert.rejects(readData(event, pem(key)));
    }
  });
}

test('the data of another event is refused', async () => {
  const event = { ...read('encrypted/request-submitted.json'), id: 'another' };
  await assert.rejects(readData(event, pem(keys.isfahan[0])), /another event/);
});

for (const rotating of [false, true]) {
  test(`a report for ${rotating ? 'two keys' : 'one key'} of the desk is read by it`, async () => {
    const { data, ...attributes } = read('events/case-answered.json');
    const [own] = keys.tracking;
    const { d, ...jwk } = own;
    const { d: other, ...next } = keys.notifier[0];
    assert.ok(d && other);
    const sealed = await sealData(data, attributes.id, { keys: rotating ? [next, jwk] : [jwk] });
    assert.deepEqual(await readData({ ...attributes, data: sealed }, pem(own)), data);
  });
}
