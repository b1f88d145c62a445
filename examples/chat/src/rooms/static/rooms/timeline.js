// The log of a room: numbered messages in the order of their numbers, whenever
// they come, each once; what has no number stands where it came. It follows the
// newest line while the reader is at the bottom, and stays where it is when
// older ones are put in above. In the past it ends before the newest ones.
import { t } from '../js/i18n.js';
import { Tail } from '../js/tail.js';

const CAP = 1000; // lines, beyond which the oldest go while the reader is at the bottom
const MOST = 5 * CAP; // lines, beyond which those go that are far from the reader, who is elsewhere
const NEAR = 48;
const SOON = 200; // pixels from an end at which more is to be read there
const FOLLOWS = 300_000; // ms within which a message of the same sender needs no name

export class Timeline {
  #node;
  #tail;
  #say;
  #line;
  #lines = new Map(); // number → element
  #pendings = 0;
  #divider = null;
  #dividerAfter = null;
  #frame = 0;

  /**
   * `line(entry)` makes the element of an entry, `say` is read out, `onBottom()` is called when the newest line
   * is seen, `onTop()` when the reader comes to the oldest, `onEnd()` when to the end of what is here of the past, and
   * `onNewest()` when the reader wants to go on from there to the newest. `onCut(id)`: there were too many, and those
   * above this number are not here any more.
   */
  constructor({ node, chip, say, line, onBottom, onTop, onEnd, onNewest, onCut }) {
    this.#node = node;
    this.#say = say;
    this.#line = line;
    this.onBottom = onBottom;
    this.onNewest = onNewest;
    this.onCut = onCut;
    this.#tail = new Tail(node, chip, NEAR, () => this.#seen(), onNewest);
    node.style.overflowAnchor = 'none'; // it is kept here, also in browsers that know no such thing
    const near = () => {
      if (node.scrollTop < SOON && node.scrollHeight > node.clientHeight) onTop();
      if (this.past && node.scrollHeight - node.scrollTop - node.clientHeight < SOON) onEnd();
    };
    // At the very end there is nothing to scroll any more.
    for (const type of ['scroll', 'wheel', 'touchmove', 'keydown']) node.addEventListener(type, near, { passive: true });
    document.addEventListener('visibilitychange', () => this.#seen());
  }

  /** Whether the reader sees the newest line. */
  get atBottom() { return this.#tail.follow && !document.hidden; }
  /** The numbers that are here. */
  has(id) { return this.#lines.has(id); }
  get oldest() { return this.#first?.entry.id ?? Infinity; }

  /** Whether it ends before the newest ones: messages that are said now are counted, and have no place here. */
  get past() { return this.#tail.past; }
  set past(past) { this.#tail.past = past; }

  /** A message that was just said, or a note; `quiet` ones count as nothing new. */
  live(entry, { quiet = false, own = false } = {}) {
    const isElsewhere = this.past && entry.id !== undefined;
    // What comes last moves nothing, whatever the clocks of the server and of the browser say.
    const isLast = entry.id === undefined || !(this.#numberedUpTo(this.#node.lastElementChild)?.entry.id >= entry.id);
    if (!isElsewhere && !(isLast ? this.#put(entry, true) : this.#staying(() => this.#put(entry)))) return;
    if (!quiet && !own) {
      this.#tail.count();
      this.#announce(entry);
    }
    this.#settle();
  }

  /** Messages out of the history; where there are some already, the view stays where it is. */
  history(entries) {
    const oldest = this.oldest;
    this.#staying(() => {
      // Each has its place next to the one before it, also where all of them come above the others.
      for (const entry of entries.toReversed()) this.#put(entry);
      this.#placeDivider();
    });
    this.#settle();
    if (this.#tail.follow || this.past) return;
    const below = entries.filter((entry) => entry.id > oldest).length;
    if (below) this.#tail.below(below);
  }

  /** A line of one's own that is on its way, at the very end until `remove()` is called with it. */
  pending(element) {
    this.#pendings++;
    this.#node.append(element);
    this.bottom();
    return element;
  }

  remove(element) {
    if (element.classList.contains('pending') && element.isConnected) this.#pendings--;
    element.remove();
  }

  /** Takes all numbered messages out: they are of a history that is no more. */
  clear() {
    for (const element of this.#lines.values()) element.remove();
    this.#lines.clear();
    this.#divider?.remove();
    this.#divider = this.#dividerAfter = null;
  }

  /** Shows where what is new begins, behind the message of this number; says whether there is something. */
  divide(id) {
    this.#dividerAfter = id;
    return this.#placeDivider();
  }

  undivide() {
    this.#dividerAfter = null;
    this.#divider?.remove();
  }

  /** Scrolls to the divider, if it is above the view. */
  toDivider() {
    this.#tail.toBottom();
    if (!this.#divider?.isConnected || this.#divider.offsetTop >= this.#node.scrollTop) return;
    this.#tail.follow = false;
    this.#node.scrollTop = this.#divider.offsetTop - 8;
  }

  /** Stays where it is, whatever comes. */
  hold() { this.#tail.follow = false; }

  /** Goes to a message and shows which it is. */
  show(id) {
    const element = this.#lines.get(id);
    if (!element) return;
    this.#tail.follow = false;
    element.scrollIntoView({ block: 'center' });
    element.classList.add('found');
    element.tabIndex = -1;
    element.focus({ preventScroll: true });
    setTimeout(() => element.classList.remove('found'), 3000);
  }

  /** Go to the newest line and follow from there on. */
  bottom() {
    if (!this.past) return this.#tail.bottom();
    this.#tail.toBottom();
    this.onNewest();
  }

  // The first line with a number.
  get #first() {
    let line = this.#node.firstElementChild;
    while (line && line.entry?.id === undefined) line = line.nextElementSibling;
    return line;
  }

  // The first line that is seen; they stand one below the other.
  get #firstSeen() {
    const { children } = this.#node;
    const top = this.#node.getBoundingClientRect().top;
    let [from, to] = [0, children.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (children[middle].getBoundingClientRect().bottom > top) to = middle;
      else from = middle + 1;
    }
    return children[from];
  }

  // Keeps the first line that is seen where it is, whatever is put in above it.
  #staying(change) {
    const seen = this.#tail.follow ? null : this.#firstSeen;
    const before = seen?.getBoundingClientRect().top;
    const changed = change();
    if (seen) this.#node.scrollTop += seen.getBoundingClientRect().top - before;
    return changed;
  }

  // Puts a line in its place, which may be known to be the last; false if it is there already.
  #put(entry, isLast = false) {
    if (entry.id !== undefined && this.#lines.has(entry.id)) return false;
    const element = this.#line(entry);
    element.entry = entry;
    let next = this.#pendings ? this.#node.querySelector(':scope > .pending') : null;
    if (entry.id !== undefined) {
      element.dataset.id = entry.id;
      // Mostly it is the newest one, or older than all. Among what has no number its time decides.
      let before = next ? next.previousElementSibling : this.#node.lastElementChild;
      const first = this.#first;
      if (first?.entry.id > entry.id) before = first;
      while (!isLast && before && !(before.entry?.id < entry.id)) {
        const { id, time } = before.entry ?? {};
        if (id === undefined ? time > entry.time : id > entry.id) next = before;
        before = before.previousElementSibling;
      }
      this.#lines.set(entry.id, element);
    }
    this.#node.insertBefore(element, next);
    this.#group(element);
    const after = element.nextElementSibling;
    if (after) this.#group(after);
    return true;
  }

  // The last line with a number, up to this one.
  #numberedUpTo(line) {
    while (line && line.entry?.id === undefined) line = line.previousElementSibling;
    return line;
  }

  // A message right behind one of the same sender does not repeat the name.
  #group(element) {
    const { entry } = element;
    const previous = element.previousElementSibling?.entry;
    const follows = entry?.type === 'message' && previous?.type === 'message' && previous.from === entry.from
      && previous.account === entry.account && entry.time - previous.time < FOLLOWS;
    element.classList.toggle('follows', Boolean(follows));
  }

  #placeDivider() {
    if (this.#dividerAfter === null) return false;
    const next = [...this.#node.children].find((element) => element.entry?.id > this.#dividerAfter);
    if (!next) return false;
    if (!this.#divider) {
      this.#divider = document.createElement('div');
      this.#divider.className = 'divider';
      this.#divider.setAttribute('role', 'separator');
      this.#divider.setAttribute('aria-label', t('room.new'));
      const text = document.createElement('span');
      text.textContent = t('room.new');
      this.#divider.append(text);
    }
    if (next.previousElementSibling !== this.#divider) this.#node.insertBefore(this.#divider, next);
    this.#group(next);
    return true;
  }

  // Read out what is new, and nothing of what was there before; a flood is not.
  #announce(entry) {
    if (!this.#say || this.#say.childElementCount > 5) return;
    const text = document.createElement('p');
    text.textContent = entry.from ? `${entry.from}: ${entry.message}` : entry.message;
    this.#say.append(text);
    setTimeout(() => text.remove(), 5000);
  }

  // After the lines of one frame: once to the bottom, and those go that are too many.
  #settle() {
    if (this.#frame) return;
    const settle = () => {
      this.#frame = 0;
      if (!this.#tail.follow) return this.#node.childElementCount > MOST && this.#staying(() => this.#trim());
      this.#dropFirst(this.#node.childElementCount - CAP);
      this.#tail.toBottom();
      this.#seen();
    };
    this.#frame = document.hidden ? setTimeout(settle, 100) : requestAnimationFrame(settle);
  }

  // What goes is far from the reader. At the lower end it is what can be read again.
  #trim() {
    const lines = [...this.#node.children];
    const seen = lines.indexOf(this.#firstSeen);
    if (seen <= lines.length / 2) {
      const newest = this.#numberedUpTo(lines[seen + CAP]);
      const beyond = newest ? lines.slice(seen + CAP).filter(({ entry }) => entry?.id > newest.entry.id) : [];
      for (const line of beyond) this.#drop(line);
      if (beyond.length) this.onCut(newest.entry.id);
    }
    if (this.#node.childElementCount > MOST) this.#dropFirst(this.#node.childElementCount - MOST + CAP);
  }

  #dropFirst(count) {
    for (let n = 0; n < count; n++) this.#drop(this.#node.firstElementChild);
  }

  #drop(line) {
    if (line.entry?.id !== undefined) this.#lines.delete(line.entry.id);
    line.remove();
  }

  #seen() { if (this.atBottom) this.onBottom(); }
}
