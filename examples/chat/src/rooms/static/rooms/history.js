// What is known of a room's history. Its messages are numbered without a hole,
// so what is missing is known from the numbers: of what came live, and of what
// is read from the server. What is here is one piece of it: mostly its end,
// and in the past a page somewhere, with what was read above and below it.

const HOLE = 600; // ms in which a message that another node stored first may still come
const FAR = 500; // messages, beyond which what was missed is not read from its beginning
const BEFORE = 25; // messages before one that is looked for; a page has 50
const AGAIN = [500, 2000, 8000, 20_000]; // ms until it is read again after a failure

export class History {
  #client;
  #on;
  #epoch = null;
  #high = null; // all up to this number are here, from the oldest one that is
  #above = new Set(); // numbers beyond a hole
  #first = null; // with which number the history begins, once that is known
  #past = false; // what is here ends before the newest ones
  #newest = 0; // the highest number that was heard in the past
  #turn = 0; // how often what is here was replaced or cut
  #wish = 0; // how often somebody wanted to be elsewhere
  #timer = 0;
  #filling = null;
  #older = null;

  /**
   * `on`: entered(page) with the newest page, added(entries) with what fills a hole or comes from above or below,
   * reset() when all that is here goes, past(is) when what is here ends before the newest ones, and when it does so
   * no more, oldest() gives the oldest number that is here, failed() when something cannot be read.
   */
  constructor(client, on) {
    this.#client = client;
    this.#on = on;
  }

  /** Whether the newest page was read. */
  get isKnown() { return this.#high !== null; }
  /** Of which history the numbers are; null while nothing was said. */
  get epoch() { return this.#epoch; }
  /** The number up to which all is here. */
  get high() { return this.#high ?? 0; }

  /** A message came live. Whether it belongs to the history that is shown. */
  heard({ id, epoch }) {
    if (this.#epoch !== null && this.#high > 0 && epoch !== this.#epoch) {
      this.fill(); // which finds out what is true
      return false;
    }
    this.#epoch = epoch;
    if (this.#past) this.#newest = Math.max(this.#newest, id);
    else if (this.#high === null) this.#above.add(id);
    else this.#saw(id);
    if (this.#above.size && this.#high !== null) this.#later(HOLE);
    return true;
  }

  /**
   * Reads what is missing: after a connection that did not go on where the last one ended, and where a hole is. In the
   * past it is the next page.
   */
  fill() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#filling ??= this.#fill().catch(() => false).then((whole) => {
      this.#filling = null;
      if (!whole) return this.#failed();
      this.failures = 0;
      if (this.#above.size) this.#later(HOLE);
    });
    return this.#filling;
  }

  /** Reads a page of older ones; false when there are none, or none to be had now. */
  async older() {
    const oldest = this.#on.oldest();
    if (!this.isKnown || !Number.isFinite(oldest) || (this.#first !== null && oldest <= this.#first)) return false;
    this.#older ??= this.#readBefore(oldest).catch(() => false).finally(() => { this.#older = null; });
    return this.#older;
  }

  /** Reads what was said around this number, in place of all that is here; false if it cannot be had. */
  async around(id) {
    const wish = ++this.#wish;
    if (!this.isKnown) return false;
    try {
      const page = await this.#ask({ after: Math.max(0, id - BEFORE - 1) });
      if (wish !== this.#wish || page.epoch !== this.#epoch || !page.messages.length) return false;
      this.cut(page.messages.at(-1).id);
      this.#on.reset();
      this.#on.added(page.messages);
      if (!page.more) this.fill();
      return true;
    } catch { return false; }
  }

  /** Goes back to the newest page, in place of all that is here; whether it is here now. */
  async newest() {
    const wish = ++this.#wish;
    if (!this.#past) return true;
    try {
      const page = await this.#ask({});
      if (wish !== this.#wish) return false;
      if (!this.#past) return true;
      const newest = this.#newest;
      this.#forget();
      this.#start(page);
      this.#on.added(page.messages);
      if (newest > page.last) this.fill();
      return true;
    } catch { return false; }
  }

  /** What was above this number is not here any more. */
  cut(id) {
    this.#newest = Math.max(this.#newest, this.#high, ...this.#above);
    this.#above.clear();
    this.#high = id;
    this.#turn++;
    this.#setPast(true);
  }

  async #readBefore(oldest) {
    const turn = this.#turn;
    const page = await this.#ask({ before: oldest });
    // Lines may have gone meanwhile, and the page is not next to those that are here.
    if (turn !== this.#turn || page.epoch !== this.#epoch || this.#on.oldest() !== oldest) return false;
    if (!page.more) this.#first = page.messages[0]?.id ?? oldest;
    this.#on.added(page.messages);
    return page.messages.length > 0;
  }

  async #fill() {
    for (;;) {
      if (this.#high === null) {
        const page = await this.#ask({});
        this.#start(page);
        this.#on.entered(page);
        return true;
      }
      const turn = this.#turn;
      const page = await this.#ask({ after: this.#high });
      if (turn !== this.#turn) continue;
      if (page.epoch !== this.#epoch || (!this.#past && page.last - this.#high > FAR)) {
        if (page.epoch === 0 && this.#high === 0) return true;
        this.#forget();
        continue;
      }
      // Numbers that are not there any more are no hole.
      this.#saw(page.more ? page.messages.at(-1).id : page.last, true);
      this.#on.added(page.messages);
      if (page.more && !this.#past) continue;
      if (page.more || !this.#past) return true;
      this.#setPast(false);
      if (this.#newest <= this.#high) return true;
    }
  }

  #start(page) {
    this.#epoch = page.epoch || null;
    this.#first = page.more ? null : page.messages[0]?.id ?? page.last + 1;
    this.#saw(page.last, true);
  }

  #ask(range) {
    return this.#client.request({ type: 'history', ...range }, { timeout: 20_000 });
  }

  #saw(id, all = false) {
    if (all) this.#high = Math.max(this.#high, id);
    else if (id > this.#high) this.#above.add(id);
    while (this.#above.delete(this.#high + 1)) this.#high += 1;
    for (const above of this.#above) if (above <= this.#high) this.#above.delete(above);
  }

  #forget() {
    this.#epoch = this.#high = this.#first = null;
    this.#above.clear();
    this.#newest = 0;
    this.#turn++;
    this.#setPast(false);
    this.#on.reset();
  }

  #setPast(past) {
    if (past !== this.#past) this.#on.past(this.#past = past);
  }

  #later(delay) { this.#timer ||= setTimeout(() => this.fill(), delay); }

  #failed() {
    const failures = this.failures ?? 0;
    this.failures = failures + 1;
    if (failures >= AGAIN.length) return this.#on.failed();
    this.#later(AGAIN[failures]);
  }
}
