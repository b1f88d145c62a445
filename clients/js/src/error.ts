/**
 * Why a request has no value.
 *
 * `code` is the server's own, or one of these:
 * - `timeout`: no reply came in time;
 * - `full`: as much waits to be sent as may;
 * - `lost`: the connection was lost before the reply, and the request was not to be sent again;
 * - `closed`: the client is closed for good;
 * - `plain`: the server does not speak `narrows.v1`, so no reply can come.
 */
export class NarrowsError extends Error {
  override readonly name = "NarrowsError";

  constructor(
    readonly code: string,
    readonly detail = "",
  ) {
    super(detail ? `${code}: ${detail}` : code);
  }
}
