/** What an office must not lose: JSON lines and files of each case. A line is on the disk before the next step. */

import { appendFileSync, closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const LINES = '.jsonl';

/** A case, as its lines tell it. */
export class Case {
  /** The ids of the events that were handled, and the highest number of them. */
  events = new Set();
  seq = 0;
  /** The number of the last report, all reports by id, and those that are not sent yet. */
  last = 0;
  reports = new Map();
  unsent = new Map();
  /** The files that are not downloaded yet, by id. */
  wanted = new Map();
  withdrawn = false;
  objection = null;
  erased = false;

  apply({ event, reports = [], sent, file, kept }) {
    if (kept) this.#keep(kept);
    if (event) this.#handle(event);
    for (const report of reports) {
      this.last = Math.max(this.last, report.seq);
      this.reports.set(report.id, report);
      this.unsent.set(report.id, report);
    }
    this.unsent.delete(sent);
    this.wanted.delete(file);
  }

  #keep({ events, last }) {
    this.events = new Set(events);
    this.last = last;
    this.erased = true;
  }

  #handle({ id, seq, name, data }) {
    this.events.add(id);
    this.seq = Math.max(this.seq, seq);
    this.last = Math.max(this.last, (data.expected_seq ?? 1) - 1);
    if (name === 'request-withdrawn') this.withdrawn = true;
    if (name === 'request-objected') this.objection = data;
    for (const each of filesOf(data)) this.wanted.set(each.id, each);
  }
}

/** Return the files that the data of an event names. */
function filesOf({ attachments = [], files = [], history = [] }) {
  const answers = history.map(({ answer }) => answer ?? {});
  return [...attachments, ...files, ...[...history, ...answers].flatMap((entry) => entry.files ?? [])];
}

export class Store {
  #cases = new Map();
  #folder;

  constructor(folder) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    const names = readdirSync(folder).filter((each) => each.endsWith(LINES));
    for (const name of names) this.#load(name.slice(0, -LINES.length));
  }

  /** Return a case; it is empty if no event about it was handled. */
  of(code) {
    return this.#cases.get(code) ?? new Case();
  }

  /** Return the code and the case of all that were ever stored. */
  all() {
    return [...this.#cases];
  }

  /** Add a line to a case. */
  add(code, line) {
    const isNew = !this.#cases.has(code);
    appendFileSync(this.#path(code + LINES), `${JSON.stringify(line)}\n`, { flush: true });
    if (isNew) this.#sync();
    this.#cases.set(code, this.of(code));
    this.of(code).apply(line);
  }

  /** Store a file of a case. */
  write(code, id, content) {
    mkdirSync(this.#path(code), { recursive: true });
    writeFileSync(this.#path(code, basename(id)), content, { flush: true });
    this.add(code, { file: id });
  }

  /** Replace all that is stored of a case by one line, with the ids of its events and the number of its last report. */
  erase(code, line) {
    const { events, last, unsent, wanted } = this.of(code);
    for (const each of [unsent, wanted]) each.clear(); // they may be being sent and downloaded now
    const entry = { kept: { events: [...events], last }, ...line };
    rmSync(this.#path(code), { recursive: true, force: true });
    writeFileSync(this.#path(`${code}.new`), `${JSON.stringify(entry)}\n`, { flush: true });
    renameSync(this.#path(`${code}.new`), this.#path(code + LINES));
    this.#sync();
    this.#cases.set(code, new Case());
    this.of(code).apply(entry);
  }

  #load(code) {
    const content = readFileSync(this.#path(code + LINES));
    const end = content.lastIndexOf('\n') + 1; // a crash may have left half a line: its event was not acknowledged
    truncateSync(this.#path(code + LINES), end);
    this.#cases.set(code, new Case());
    const lines = content.subarray(0, end).toString().split('\n').filter(Boolean);
    for (const line of lines) this.of(code).apply(JSON.parse(line));
  }

  #sync() {
    const folder = openSync(this.#folder, 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  #path(...names) {
    return join(this.#folder, ...names);
  }
}
