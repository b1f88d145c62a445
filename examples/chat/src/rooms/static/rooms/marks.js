// How far this reader has read the rooms: an account's are on the server, for
// all its devices, a guest's in this browser.
import { account, storage } from '../js/name.js';

const local = storage('localStorage');
const KEY = 'narrows.read';
const MOST = 100;
const DELAY = 3000; // ms: a mark is a write to the database

/** A guest's marks: { room: { epoch, id } }. */
export function guestMarks() {
  try {
    const marks = JSON.parse(local.get(KEY));
    return marks && typeof marks === 'object' ? marks : {};
  } catch { return {}; }
}

export class Mark {
  #client;
  #room;
  #id = null;
  #epoch = 0;
  #timer = 0;

  constructor(client, room) {
    this.#client = client;
    this.#room = room;
    // What was seen is marked before the page goes, or another is looked at.
    document.addEventListener('visibilitychange', () => document.hidden && this.#keep());
    addEventListener('pagehide', () => this.#keep());
  }

  /** Up to where the room was read before; null where it never was. `page` is its newest one. */
  start({ epoch, read }) {
    const kept = guestMarks()[this.#room];
    this.#id = account ? read ?? null : kept?.epoch === epoch ? kept.id : null;
    return this.#id;
  }

  /** On another device it was read up to here. */
  heard(id) { this.#id = Math.max(this.#id ?? 0, id); }

  /** All up to this number of this epoch was seen just now. */
  seen(id, epoch) {
    if (this.#id !== null && id <= this.#id) return;
    this.#id = id;
    this.#epoch = epoch;
    this.#timer ||= setTimeout(() => this.#keep(), DELAY);
  }

  #keep() {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = 0;
    if (account) return this.#client.send({ type: 'read', id: this.#id });
    const marks = Object.entries(guestMarks()).filter(([room]) => room !== this.#room).slice(1 - MOST);
    const mark = { epoch: this.#epoch, id: this.#id };
    local.set(KEY, JSON.stringify(Object.fromEntries([...marks, [this.#room, mark]])));
  }
}
