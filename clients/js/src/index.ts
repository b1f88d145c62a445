export { NarrowsError } from "./error.js";
export type { Off } from "./events.js";
export type { State } from "./link.js";
export { connect, Narrows, type Happenings, type Positioned, type Typed } from "./narrows.js";
export type { Lazy, Options, Socket } from "./options.js";
export type { RequestOptions } from "./outgoing.js";
export { Presence, type PresenceDiff, type PresenceEvents, type PresenceOptions } from "./presence.js";
