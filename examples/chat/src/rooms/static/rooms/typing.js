// Who is writing just now: told to the others while somebody types, and over by
// itself some seconds later.
import { t, tNodes } from '../js/i18n.js';
import { plainName } from './lines.js';

const TELL = 3000; // ms between two notices of our own
const OVER = 7000; // ms after the last notice of somebody else

export class Typing {
  #link;
  #node;
  #told = 0;
  #writers = new Map(); // key → { name, timer }

  constructor(link, node) {
    this.#link = link;
    this.#node = node;
    link.addEventListener('state', ({ detail }) => detail.state !== 'open' && this.#clear());
  }

  /** Somebody here types. */
  tell() {
    if (this.#link.state !== 'open' || Date.now() - this.#told < TELL) return;
    this.#told = Date.now();
    this.#link.client.send({ type: 'typing' });
  }

  /** What was typed is sent: the next key is news again. */
  sent() { this.#told = 0; }

  heard({ key, name }) {
    clearTimeout(this.#writers.get(key)?.timer);
    this.#writers.set(key, { name, timer: setTimeout(() => this.over(key), OVER) });
    this.#show();
  }

  over(key) {
    clearTimeout(this.#writers.get(key)?.timer);
    if (this.#writers.delete(key)) this.#show();
  }

  /** Somebody of this name said something. */
  said(name) {
    for (const [key, writer] of this.#writers) if (writer.name === name) this.over(key);
  }

  #clear() {
    for (const key of [...this.#writers.keys()]) this.over(key);
  }

  #show() {
    const [one, two, ...more] = [...this.#writers.values()].map(({ name }) => plainName(name));
    this.#node.replaceChildren(
      !one ? '' : !two ? tNodes('typing.one', { name: one }) : more.length ? t('typing.many') : tNodes('typing.two', { name: one, other: two }),
    );
  }
}
