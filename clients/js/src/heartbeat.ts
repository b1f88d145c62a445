type Timer = ReturnType<typeof setTimeout>;

/** Finds out that a connection is dead which does not say so. */
export class Heartbeat {
  private period = 0;
  private idle: Timer | undefined;
  private watch: Timer | undefined;

  constructor(
    private readonly timeout: number,
    private readonly ping: () => void,
    private readonly dead: () => void,
  ) {}

  start(period: number): void {
    this.stop();
    this.period = period;
    this.sent();
  }

  stop(): void {
    this.period = 0;
    clearTimeout(this.idle);
    this.received();
  }

  /** Something was sent: the next ping is due so much later. */
  sent(): void {
    clearTimeout(this.idle);
    if (this.period) this.idle = setTimeout(() => this.probe(), this.period);
  }

  /** Something came: the connection lives. */
  received(): void {
    clearTimeout(this.watch);
    this.watch = undefined;
  }

  /** Asks the server now. */
  probe(): void {
    if (!this.period) return;
    this.watch ??= setTimeout(this.dead, this.timeout);
    this.ping();
  }
}
