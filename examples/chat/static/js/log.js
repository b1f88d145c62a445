// The list of lines on a chat page. Lines are drawn once per frame, the oldest
// go when there are too many, and the view follows the newest line only while
// the reader is at the bottom.
import { t, tn } from './i18n.js';

const CAP = 1000;
const NEAR = 32; // px from the bottom that still count as being there

export class Log {
  #node;
  #chip;
  #render;
  #pending = [];
  #last = null; // the newest drawn entry
  #scheduled = false;
  #follow = true;
  #top = 0;
  #height = 0;
  #unread = 0; // below the fold
  #unseen = 0; // since the tab was hidden
  #title = '';

  /** `render(entry, previous)` makes the element of one entry. */
  constructor(node, chip, render) {
    this.#node = node;
    this.#chip = chip;
    this.#render = render;
    node.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.#follow && this.#toBottom()).observe(node);
    chip.addEventListener('click', () => {
      this.bottom(true);
      document.querySelector('#chat-message-input')?.focus({ preventScroll: true });
    });
    document.addEventListener('visibilitychange', () => {
      this.#draw();
      if (!document.hidden) this.#setUnseen(0);
    });
  }

  /** Add an entry; `quiet` ones do not count as new messages. */
  add(entry, quiet = false) {
    this.#pending.push(entry);
    if (this.#pending.length > CAP * 2) this.#pending.splice(0, CAP);
    if (!quiet) {
      if (!this.#follow) this.#unread++;
      if (document.hidden) this.#setUnseen(this.#unseen + 1);
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    const draw = () => this.#draw();
    document.hidden ? setTimeout(draw, 100) : requestAnimationFrame(draw);
  }

  /** Go to the newest line and follow from there on. */
  bottom(smooth = false) {
    this.#follow = true;
    this.#setUnread(0);
    const { scrollHeight, scrollTop, clientHeight } = this.#node;
    const far = scrollHeight - scrollTop > 4 * clientHeight;
    if (!smooth || far || matchMedia('(prefers-reduced-motion: reduce)').matches) this.#toBottom();
    else this.#node.scrollTo({ top: scrollHeight, behavior: 'smooth' });
  }

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
    if (this.#follow) this.#toBottom();
    this.#setUnread(this.#unread);
  }

  #toBottom() {
    this.#node.scrollTop = this.#node.scrollHeight;
    this.#top = this.#node.scrollTop;
    this.#height = this.#node.scrollHeight;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#node;
    if (scrollHeight - scrollTop - clientHeight <= NEAR) {
      this.#follow = true;
      this.#setUnread(0);
    } else if (scrollTop < this.#top && scrollHeight === this.#height) {
      this.#follow = false; // the reader went up; lines going at the top also move the view
    }
    this.#top = scrollTop;
    this.#height = scrollHeight;
  }

  #setUnread(n) {
    this.#unread = n;
    this.#chip.hidden = n === 0;
    if (n) this.#chip.textContent = n > CAP ? t('log.new', { n: `${CAP}+` }) : tn('log.new', n);
  }

  #setUnseen(n) {
    if (!this.#unseen) this.#title = document.title;
    this.#unseen = n;
    document.title = n ? `(${n > 99 ? '99+' : n}) ${this.#title}` : this.#title;
  }
}
