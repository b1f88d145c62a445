// The client of Narrows as the pages use it: one connection that comes back by
// itself, with the events that status.js shows.
//
//   const link = new Link(() => wsUrl('/ws/chat/lobby/'));
//   link.client.on('message', (message) => …);
//   link.addEventListener('state', (e) => …);  // e.detail: { state, code, reason, byClient, delay }

// The name of the file holds a hash of its content, so the page says it.
const { Narrows } = await import(document.querySelector('#client').href);

export class Link extends EventTarget {
  #byClient = false;
  #restarting = false;
  #timer = 0;

  /** When the next attempt starts (ms since the epoch), while waiting. */
  retryAt = 0;
  /** How many messages wait; who sends them says so. */
  queued = 0;

  constructor(url) {
    super();
    this.client = new Narrows(url, { start: false });
    this.client.on('narrows.open', ({ resumed }) => this.#set('open', { resumed }));
    this.client.on('narrows.close', ({ code, reason }) => { this.closed = { code, reason }; });
    this.client.on('narrows.reconnecting', ({ delay }) => {
      this.retryAt = Date.now() + delay;
      this.#set('waiting', { ...this.closed, delay });
      this.#timer = setTimeout(() => this.state === 'connecting' && this.#set('connecting'), delay + 50);
    });
    this.client.on('narrows.final', ({ code, reason }) => {
      if (!this.#restarting) this.#set('closed', { code, reason, byClient: this.#byClient });
    });
  }

  get state() { return this.client.state; }

  /** Connect now; also cuts a wait short. */
  open() {
    this.#byClient = false;
    this.client.connect();
    if (this.state === 'connecting') this.#set('connecting');
  }

  /** Leave and come back at once, for instance under another name. */
  restart() {
    this.#restarting = true;
    this.client.close();
    this.#restarting = false;
    this.open();
  }

  /** Close from this side; stays closed until open(). */
  close(code = 1000, reason = '') {
    this.#byClient = true;
    this.client.close(code, reason);
  }

  /** Says how many messages wait. */
  wait(queued) {
    this.queued = queued;
    this.dispatchEvent(new CustomEvent('queue'));
  }

  #set(state, detail = {}) {
    clearTimeout(this.#timer);
    if (state !== 'waiting') this.retryAt = 0;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, ...detail } }));
  }
}
