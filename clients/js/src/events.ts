/** Takes a handler away again. */
export type Off = () => void;

/** Who wants to know of what. */
export class Emitter {
  private readonly handlers = new Map<string, Set<(event: any) => void>>();

  on(name: string, handler: (event: any) => void): Off {
    const handlers = this.handlers.get(name) ?? new Set();
    this.handlers.set(name, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  /** Calls each handler; whether there was one. A handler that fails keeps nothing from the others. */
  emit(name: string, event: unknown): boolean {
    const handlers = [...(this.handlers.get(name) ?? [])];
    for (const handler of handlers) {
      try {
        handler(event);
      } catch (error) {
        // To the console, and to whoever watches for uncaught errors.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
    return handlers.length > 0;
  }
}
