// A WebSocket that comes back by itself.
//
//   const socket = new ReconnectingSocket(() => wsUrl('/ws/chat/lobby/'));
//   socket.addEventListener('state', (e) => …);    // e.detail: { state, code, reason, byClient, delay }
//   socket.addEventListener('message', (e) => …);  // e.detail: the text of one frame
//   socket.addEventListener('queue', () => …);     // socket.queued has changed
//   socket.open();
//
// States: connecting, open, waiting (for the next attempt), closed (for good,
// until open() is called again).

/** The address of a socket on the server this page came from. */
export function wsUrl(path, params = {}) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  for (const [key, value] of Object.entries(params)) if (value) url.searchParams.set(key, value);
  return url.href;
}

/** The session is over: logged out, here or elsewhere. */
export const LOGGED_OUT = 4401;

/** Close codes after which coming back would only repeat the answer. */
export const isFinal = (code) => code === 1008 || (code >= 4100 && code <= 4999);

const DEFAULTS = {
  minDelay: 500, // ms, the shortest wait before an attempt
  maxDelay: 20_000, // ms, the longest
  openTimeout: 10_000, // ms until an attempt counts as failed
  settled: 5_000, // ms open until the back-off starts afresh
  maxQueue: 50, // texts kept while there is no connection
  maxBuffered: 1 << 20, // bytes in the browser's own buffer before send() refuses
  final: isFinal,
};

export class ReconnectingSocket extends EventTarget {
  #url;
  #options;
  #ws = null;
  #state = 'closed';
  #attempt = 0;
  #timer = 0; // next attempt, or the timeout of the current one
  #settle = 0;
  #queue = [];

  /** When the next attempt starts (ms since the epoch), while waiting. */
  retryAt = 0;

  /** `url` is a string or, to choose it anew at each attempt, a function. */
  constructor(url, options = {}) {
    super();
    this.#url = typeof url === 'function' ? url : () => url;
    this.#options = { ...DEFAULTS, ...options };
    addEventListener('online', () => this.#state === 'waiting' && this.open());
  }

  get state() { return this.#state; }
  get queued() { return this.#queue.length; }

  /** Connect now; also cuts a wait short. Does nothing if a connection is there or under way. */
  open() {
    if (this.#state === 'open' || this.#state === 'connecting') return;
    this.#connect();
  }

  /** Leave and come back at once, for instance under another address. */
  restart() {
    const old = this.#ws;
    if (this.#state !== 'open' || !old) {
      this.#drop();
      return this.#connect();
    }
    // Let the old connection say goodbye first, but not for long.
    this.#drop(false);
    this.#set('connecting');
    let started = false;
    const next = () => {
      if (started || this.#state !== 'connecting' || this.#ws) return;
      started = true;
      clearTimeout(this.#timer);
      this.#connect();
    };
    this.#timer = setTimeout(next, 1000);
    old.addEventListener('close', next);
    old.close(1000);
  }

  /** Send a text, or keep it until there is a connection. False: refused, nothing was taken. */
  send(text) {
    if (this.#state === 'open' && this.#queue.length === 0) {
      if (this.#ws.bufferedAmount > this.#options.maxBuffered) return false;
      this.#ws.send(text);
      return true;
    }
    if (this.#state === 'closed' || this.#queue.length >= this.#options.maxQueue) return false;
    this.#queue.push(text);
    this.#emit('queue');
    return true;
  }

  /** Close from this side; stays closed until open(). */
  close(code = 1000, reason = '') {
    if (this.#state === 'closed') return;
    this.#drop(true, code, reason);
    this.#set('closed', { code, reason, byClient: true });
  }

  #connect() {
    clearTimeout(this.#timer);
    this.#set('connecting');
    let ws;
    try {
      ws = new WebSocket(this.#url());
    } catch (error) {
      return this.#set('closed', { code: 0, reason: error.message });
    }
    this.#ws = ws;
    const current = () => this.#ws === ws;
    this.#timer = setTimeout(() => current() && this.#lost(1006, ''), this.#options.openTimeout);

    ws.addEventListener('open', () => {
      if (!current()) return ws.close();
      clearTimeout(this.#timer);
      this.#settle = setTimeout(() => { this.#attempt = 0; }, this.#options.settled);
      this.#set('open');
      if (this.#queue.length) {
        for (const text of this.#queue.splice(0)) ws.send(text);
        this.#emit('queue');
      }
    });
    ws.addEventListener('message', (event) => {
      if (current() && typeof event.data === 'string') this.#emit('message', event.data);
    });
    ws.addEventListener('close', (event) => {
      if (current()) this.#lost(event.code, event.reason);
    });
  }

  #lost(code, reason) {
    this.#drop();
    if (this.#options.final(code)) return this.#set('closed', { code, reason });
    const delay = this.#delay(code);
    this.retryAt = Date.now() + delay;
    this.#timer = setTimeout(() => this.#connect(), delay);
    this.#set('waiting', { code, reason, delay });
  }

  // Full jitter: any wait up to a ceiling that doubles, so that a thousand
  // pages do not all come back in the same instant.
  #delay(code) {
    const { minDelay, maxDelay } = this.#options;
    if (code === 1013) this.#attempt += 3; // "try again later"
    const ceiling = code === 1012
      ? minDelay * 4 // the service restarts: it will be back soon
      : Math.min(maxDelay, minDelay * 2 ** ++this.#attempt);
    return Math.round(minDelay + Math.random() * (ceiling - minDelay));
  }

  // Forget the current connection, closing it unless the caller will.
  #drop(close = true, code = 1000, reason = '') {
    const ws = this.#ws;
    this.#ws = null;
    clearTimeout(this.#timer);
    clearTimeout(this.#settle);
    if (close && ws && ws.readyState <= WebSocket.OPEN) ws.close(code, reason);
  }

  #set(state, detail = {}) {
    if (state !== 'waiting') this.retryAt = 0;
    this.#state = state;
    this.#emit('state', { state, ...detail });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
