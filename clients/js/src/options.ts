/** A value, or how to get it anew for each connection. */
export type Lazy<T> = T | (() => T | Promise<T>);

/** What is used of a WebSocket: the browser's own, Node's, or that of the package `ws`. */
export interface Socket {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly protocol: string;
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(data: any): void;
  close(code?: number, reason?: string): void;
}

/** What a client can be told; all times in milliseconds. */
export interface Options {
  /** The site's own subprotocols; they follow those of Narrows. A function is asked before each connection. */
  protocols?: Lazy<string | string[]>;
  /** The server is not Narrows, or its client is not to be told: offers nothing of ours. Default: false. */
  plain?: boolean;
  /** Connect at once. Default: true; otherwise `connect()` does. */
  start?: boolean;
  /** The constructor of sockets. Default: `globalThis.WebSocket`. */
  WebSocket?: new (url: string, protocols: string[]) => Socket;
  /** How a message becomes a frame. Default: `JSON.stringify`. */
  encode?: (message: any) => string | Uint8Array;
  /** How a frame becomes a message: a text, or an `ArrayBuffer`. Default: `JSON.parse`. */
  decode?: (data: any) => any;
  /** The first wait before coming back is a random part of this. Default: 500. */
  minDelay?: number;
  /** It doubles with each attempt, up to this. Default: 20 000. */
  maxDelay?: number;
  /** How long an attempt may take, the asking for its address and tokens included. Default: 10 000. */
  connectTimeout?: number;
  /** How long after a ping the server may be silent. Default: 10 000. */
  pingTimeout?: number;
  /** How many messages wait to be sent or answered. Default: 1000. */
  maxQueue?: number;
  /** How many bytes of them, and in the socket's own buffer. Default: 1 MiB. */
  maxQueueBytes?: number;
}

export type Settings = Required<Omit<Options, "WebSocket">> & Pick<Options, "WebSocket">;

export const settings = (options: Options): Settings => ({
  protocols: [],
  plain: false,
  start: true,
  encode: JSON.stringify,
  decode: JSON.parse,
  minDelay: 500,
  maxDelay: 20_000,
  connectTimeout: 10_000,
  pingTimeout: 10_000,
  maxQueue: 1000,
  maxQueueBytes: 1 << 20,
  ...options,
});
