// The end of a log: the view follows the newest line while the reader is at the
// bottom; otherwise a button and the title of the tab say how much is new.
import { t, tn } from './i18n.js';

const MANY = 1000; // beyond which nobody counts

export class Tail {
  #node;
  #chip;
  #near;
  #top = 0;
  #height = 0;
  #unread = 0; // below the fold
  #unseen = 0; // since the tab was hidden
  #title = '';
  #past = false;

  /** Whether the view stays at the newest line. */
  follow = true;

  /**
   * `near` pixels from the bottom still count as being there; `onBottom()` is called when the reader comes there, and
   * `onNewest()` when the reader wants to go to the newest line, which is not here in the past.
   */
  constructor(node, chip, near, onBottom = () => {}, onNewest = () => {}) {
    this.#node = node;
    this.#chip = chip;
    this.#near = near;
    this.onBottom = onBottom;
    node.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.follow && this.toBottom()).observe(node);
    chip.addEventListener('click', () => {
      if (this.#past) onNewest();
      else this.bottom(true);
      document.querySelector('#chat-message-input')?.focus({ preventScroll: true });
    });
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.#setUnseen(0);
    });
  }

  get past() { return this.#past; }

  /** Whether the log ends before its newest line, so that nothing is to be followed. */
  set past(past) {
    this.#past = past;
    if (past) this.follow = false;
    this.#setUnread(this.#unread);
    if (!past) this.#scrolled();
  }

  /** Something new came. */
  count(messages = 1) {
    if (!this.follow) this.below(messages);
    if (document.hidden) this.#setUnseen(this.#unseen + messages);
  }

  /** Something was put in below what the reader sees. */
  below(messages) { this.#setUnread(this.#unread + messages); }

  /** Goes to the newest line and follows from there on. */
  bottom(smooth = false) {
    this.follow = true;
    this.#setUnread(0);
    const { scrollHeight, scrollTop, clientHeight } = this.#node;
    const far = scrollHeight - scrollTop > 4 * clientHeight;
    if (!smooth || far || matchMedia('(prefers-reduced-motion: reduce)').matches) this.toBottom();
    else this.#node.scrollTo({ top: scrollHeight, behavior: 'smooth' });
    this.onBottom();
  }

  toBottom() {
    this.#node.scrollTop = this.#node.scrollHeight;
    this.#top = this.#node.scrollTop;
    this.#height = this.#node.scrollHeight;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#node;
    if (!this.#past && scrollHeight - scrollTop - clientHeight <= this.#near) {
      const was = this.follow;
      this.follow = true;
      if (!was) {
        this.#setUnread(0);
        this.onBottom();
      }
    } else if (scrollTop < this.#top && scrollHeight === this.#height) {
      this.follow = false; // the reader went up; lines that come or go also move the view
    }
    this.#top = scrollTop;
    this.#height = scrollHeight;
  }

  #setUnread(n) {
    this.#unread = n;
    this.#chip.hidden = n === 0 && !this.#past;
    if (n === 0) this.#chip.textContent = t('log.newest');
    else this.#chip.textContent = n > MANY ? t('log.new', { n: `${MANY}+` }) : tn('log.new', n);
  }

  #setUnseen(n) {
    if (!this.#unseen) this.#title = document.title;
    this.#unseen = n;
    document.title = n ? `(${n > 99 ? '99+' : n}) ${this.#title}` : this.#title;
  }
}
