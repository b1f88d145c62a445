// The list of lines on a chat page. Lines are drawn once per frame, the oldest
// go when there are too many, and the view follows the newest line only while
// the reader is at the bottom.
import { Tail } from '../js/tail.js';

const CAP = 1000;
const NEAR = 32;

export class Log {
  #node;
  #render;
  #tail;
  #pending = [];
  #last = null; // the newest drawn entry
  #scheduled = false;

  /** `render(entry, previous)` makes the element of one entry. */
  constructor(node, chip, render) {
    this.#node = node;
    this.#render = render;
    this.#tail = new Tail(node, chip, NEAR);
    document.addEventListener('visibilitychange', () => this.#draw());
  }

  /** Add an entry; `quiet` ones do not count as new messages. */
  add(entry, quiet = false) {
    this.#pending.push(entry);
    if (this.#pending.length > CAP * 2) this.#pending.splice(0, CAP);
    if (!quiet) this.#tail.count();
    if (this.#scheduled) return;
    this.#scheduled = true;
    const draw = () => this.#draw();
    document.hidden ? setTimeout(draw, 100) : requestAnimationFrame(draw);
  }

  /** Go to the newest line and follow from there on. */
  bottom() { this.#tail.bottom(); }

  #draw() {
    this.#scheduled = false;
    if (!this.#pending.length) return;
    const entries = this.#pending.splice(0).slice(-CAP);
    const fragment = document.createDocumentFragment();
    for (const entry of entries) {
      fragment.append(this.#render(entry, this.#last));
      this.#last = entry;
    }
    const node = this.#node;
    node.setAttribute('aria-busy', String(entries.length > 20)); // do not read out a flood
    const excess = node.childElementCount + entries.length - CAP;
    if (excess >= node.childElementCount) node.replaceChildren();
    else for (let i = 0; i < excess; i++) node.firstElementChild.remove();
    node.append(fragment);
    if (this.#tail.follow) this.#tail.toBottom();
  }
}
