// What was written and is not yet known to be stored: sent again after a cut,
// and after the page was loaded again, with an id by which it is stored once.
import { storage } from '../js/name.js';

const session = storage('sessionStorage');
const DAY = 86_400_000;
const MOST = 100;

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

export class Outbox {
  #link;
  #key;
  #waiting = new Map(); // id → message

  /**
   * `stored(once, reply)` when the server has a message, `failed(once, message, error)` when it refused it, and the
   * message is gone.
   */
  constructor(link, key, { stored, failed }) {
    this.#link = link;
    this.#key = key;
    this.stored = stored;
    this.failed = failed;
  }

  /** What was waiting when the page was left; to be given to `send`. */
  restore() {
    let kept = [];
    try { kept = JSON.parse(session.get(this.#key)) ?? []; } catch { /* none */ }
    return Array.isArray(kept) ? kept.filter(({ once, message } = {}) => typeof once === 'string' && typeof message === 'string') : [];
  }

  get isFull() { return this.#waiting.size >= MOST; }

  /** Sends a text; gives its id. */
  send(message, once = newId()) {
    this.#waiting.set(once, message);
    this.#changed();
    this.#request(once, message);
    return once;
  }

  async #request(once, message) {
    try {
      const reply = await this.#link.client.request({ message, once }, { timeout: DAY });
      this.#done(once);
      this.stored(once, reply);
    } catch (error) {
      // The connection was left to come back under another name; what is closed for good waits for the next page.
      if (error.code === 'closed') {
        if (this.#link.state === 'closed') this.#link.addEventListener('state', () => this.#request(once, message), { once: true });
        else setTimeout(() => this.#request(once, message));
        return;
      }
      this.#done(once);
      this.failed(once, message, error);
    }
  }

  #done(once) {
    this.#waiting.delete(once);
    this.#changed();
  }

  #changed() {
    const all = [...this.#waiting].map(([once, message]) => ({ once, message }));
    session.set(this.#key, all.length ? JSON.stringify(all) : '');
    this.#link.wait(all.length);
  }
}
