/** A consumer for an office. People's decisions are files in a folder; all else is done here. See README.md. */

import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { connect } from 'amqplib'; // npm install amqplib

import { readData, sealData } from './events.mjs';
import { Desk } from './files.mjs';
import { Store } from './store.mjs';

const { BROKER_URL, DESK_URL, PROVINCE, PRIVATE_KEY, FOLDER = 'office' } = process.env;
const EVENT_KEYS = [process.env.EVENT_PRIVATE_KEY, process.env.FORMER_EVENT_PRIVATE_KEY].filter(Boolean);
const DECISIONS = join(FOLDER, 'decisions');
const TYPE = /^ir\.haj\.desk\.([a-z-]+)\.v1$/;
const CODE = /^[0-9]{12}$/;
const NEW_CASES = ['request-submitted', 'request-referred'];
const ON_REQUESTS = ['replied', 'objected', 'withdrawn', 'rated', 'overdue', 'erased'];
const EVENTS = [...NEW_CASES, ...ON_REQUESTS.map((each) => `request-${each}`), 'case-refused'];
const MEDIA_TYPE = 'application/cloudevents+json';
const HOUR_MS = 3_600_000;

const log = (text) => console.log(`${now()} ${text}`);
const now = () => `${new Date().toISOString().slice(0, 19)}Z`;

mkdirSync(DECISIONS, { recursive: true });
const store = new Store(join(FOLDER, 'cases'));
const desk = new Desk(DESK_URL, PROVINCE, PRIVATE_KEY);

// Events

/** Return an event with its decrypted data, or null if its kind is unknown. Raises `Error` if it cannot be read. */
async function read(content) {
  const event = JSON.parse(content);
  const isEnvelope = typeof event.id === 'string' && typeof event.type === 'string' && Number.isInteger(event.seq);
  if (!isEnvelope) throw new Error('a field is missing');
  const [, name] = TYPE.exec(event.type) ?? [];
  if (!EVENTS.includes(name)) return null;
  const data = await decrypt(event);
  if (!CODE.test(event.subject) || data.tracking_code !== event.subject) throw new Error('it has no tracking code');
  return { id: event.id, seq: event.seq, name, code: event.subject, data };
}

async function decrypt(event) {
  const attempts = await Promise.allSettled(EVENT_KEYS.map((pem) => readData(event, pem)));
  const read = attempts.find(({ status }) => status === 'fulfilled');
  if (!read) throw new Error(attempts.map(({ reason }) => reason.message).join('; '));
  return read.value;
}

/** Store an event, together with the reports that it needs. */
function handle({ code, ...event }) {
  const known = store.of(code);
  if (known.events.has(event.id)) return;
  log(`${event.name} ${code}`);
  if (event.name === 'request-erased') {
    const { certificate_id } = event.data;
    store.erase(code, { event, reports: [report('case-erased', known.last + 1, { certificate_id })] });
  } else if (!known.erased) {
    store.add(code, { event, reports: reportsOn(event, known) });
  }
}

function reportsOn({ name, seq, data }, known) {
  if (name === 'case-refused') return onRefusal(data, known);
  const isNews = seq > known.seq || (known.last === 0 && !known.withdrawn);
  if (NEW_CASES.includes(name) && isNews) return [report('case-received', known.last + 1)];
  return []; // the office's people read it; an objection is for a supervisor
}

function onRefusal({ report: name, report_id, reason, field, rule, expected_seq, tracking_code }, known) {
  const why = [reason, field, rule].filter(Boolean).join(' ');
  log(`${name} ${report_id} on ${tracking_code} is refused: ${why}`);
  const refused = known.reports.get(report_id);
  if (reason !== 'sequence_used' || !refused) return [];
  return [{ ...refused, id: randomUUID(), seq: Math.max(expected_seq, known.last + 1) }];
}

// Reports

function report(name, seq, data = {}, more = {}) {
  return { id: randomUUID(), name, seq, at: now(), data, ...more };
}

/** Publish a report. Raises `Error` if the broker does not confirm it, or returns it. */
async function publish(channel, code, { id, name, seq, at, data }) {
  if (!deskKeys) throw new Error("the desk's keys are not fetched yet");
  const type = `ir.haj.desk.${name}.v1`;
  const sealed = await sealData({ tracking_code: code, at, ...data }, id, deskKeys);
  const attributes = { specversion: '1.0', id, source: `/office/${PROVINCE}`, type, subject: code, time: at, seq };
  const envelope = { ...attributes, datacontenttype: 'application/jose+json', data: sealed };
  const userId = decodeURIComponent(new URL(BROKER_URL).username);
  const timestamp = Math.floor(Date.now() / 1000);
  const properties = { messageId: id, type, userId, contentType: MEDIA_TYPE, timestamp };
  const options = { ...properties, mandatory: true, persistent: true };
  await confirmed(channel, `${name}.${PROVINCE}`, Buffer.from(JSON.stringify(envelope)), options);
}

function confirmed(channel, routingKey, content, options) {
  return new Promise((resolve, reject) => {
    const onReturn = () => reject(new Error('the broker has returned it')); // no other report is being published
    channel.on('return', onReturn);
    channel.publish('desk.cases', routingKey, content, options, (error) => {
      channel.off('return', onReturn);
      if (error) reject(error);
      else resolve(); // after a return it is rejected already
    });
  });
}

/** Send what is not sent, until the channel is closed. What fails is sent again, with the same id and number. */
async function send(channel) {
  let isOpen = true;
  channel.once('close', () => { isOpen = false; });
  while (isOpen) {
    for (const [code, { unsent }] of store.all()) await sendAll(channel, code, unsent);
    await pause(200);
  }
}

/** Send the reports on a case in order of their numbers. */
async function sendAll(channel, code, unsent) {
  for (const each of unsent.values()) {
    try {
      await publish(channel, code, each);
      store.add(code, { sent: each.id });
    } catch (error) {
      log(`${each.name} ${each.id} on ${code} is not sent yet: ${error.message}`);
      return pause(1000);
    }
  }
}

let deskKeys;

async function fetchKeys() {
  if (!(deskKeys?.until > Date.now())) deskKeys = { ...(await desk.keys()), until: Date.now() + HOUR_MS };
}

// The connection

async function session() {
  const url = new URL(BROKER_URL);
  url.searchParams.set('heartbeat', '30');
  const connection = await connect(url.href, { timeout: 10_000 });
  connection.on('error', ({ message }) => log(message));
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', ({ message }) => log(message));
    await channel.prefetch(1);
    await channel.consume(`province.${PROVINCE}`, (message) => onMessage(channel, message));
    log(`consuming province.${PROVINCE}`);
    await send(channel);
  } finally {
    await connection.close().catch(() => log('the connection is closed'));
  }
}

async function onMessage(channel, message) {
  if (message === null) return channel.close(); // the broker has cancelled the consumer
  let event;
  try {
    event = await read(message.content);
  } catch (error) {
    log(`message ${message.properties.messageId} is rejected: ${error.message}`);
    return settle(() => channel.reject(message, false));
  }
  if (event) handle(event); // if this fails, the process ends, and the event is delivered again
  return settle(() => channel.ack(message));
}

function settle(answer) {
  try {
    answer();
  } catch (error) {
    log(`it is delivered again: ${error.message}`); // the channel was closed meanwhile
  }
}

// Files and decisions

const LONGEST_PAUSE = 256; // seconds: an unknown file is asked for during four minutes
const attempts = new Map();

async function downloadFiles() {
  for (const [code, { wanted }] of store.all()) {
    for (const file of wanted.values()) {
      const { due = 0, seconds = 1 } = attempts.get(file.id) ?? {};
      if (due > Date.now()) continue;
      attempts.set(file.id, { due: Date.now() + 1000 * seconds, seconds: Math.min(2 * seconds, LONGEST_PAUSE) });
      await download(code, file, seconds === LONGEST_PAUSE);
    }
  }
}

/** Download a file. One that is unknown may still become known, until the last attempt. */
async function download(code, file, isLast) {
  try {
    const content = await desk.download(file);
    if (store.of(code).wanted.has(file.id)) store.write(code, file.id, content); // or it was erased meanwhile
  } catch (error) {
    log(`file ${file.id} of ${code}: ${error.message}`);
    const isFinal = error.status === 410 || (error.status === 404 && isLast);
    if (isFinal && store.of(code).wanted.has(file.id)) store.add(code, { file: file.id });
  }
}

async function decideAll() {
  for (const name of readdirSync(DECISIONS).filter((each) => each.endsWith('.json'))) {
    const path = join(DECISIONS, name);
    try {
      await decide(name.slice(0, -'.json'.length), JSON.parse(readFileSync(path)));
      rmSync(path);
    } catch (error) {
      log(`decision ${name}: ${error.message}`);
      if (!isTemporary(error)) renameSync(path, `${path}.refused`);
    }
  }
}

const isTemporary = ({ message, name, status }) =>
  message === 'fetch failed' || name === 'TimeoutError' || status === 401 || status >= 500;

/** Report what a person has decided. Its file name is the id of the report, so that a crash repeats nothing. */
async function decide(id, { case: code, report: name, by, data = {}, files = [] }) {
  if (store.of(code).reports.has(id)) return;
  const uploaded = [];
  for (const path of files) uploaded.push(await desk.upload(code, path));
  const known = store.of(code);
  if (known.events.size === 0 || known.erased) throw new Error('there is no such case');
  const author = known.reports.get(known.objection?.answer_report_id)?.by;
  if (author && author === by) throw new Error('another person must handle the objection');
  const all = uploaded.length ? { ...data, files: uploaded } : data;
  store.add(code, { reports: [report(name, known.last + 1, all, { id, by })] });
}

/** Repeat something for ever. A failure is logged, and the pause grows up to `longest` seconds until it works again. */
async function repeat(what, longest) {
  for (let seconds = 1; ; seconds = Math.min(2 * seconds, longest)) {
    try {
      await what();
      seconds = 0.5;
    } catch (error) {
      log(`${what.name}: ${error.message}`);
    }
    await pause(1000 * seconds * (0.5 + Math.random() / 2));
  }
}

repeat(fetchKeys, 30);
repeat(session, 30);
repeat(downloadFiles, 30);
repeat(decideAll, 30);
