import { connect, Narrows, NarrowsError, Presence } from "./index.js";

// For pages without modules: one global, `Narrows`, with the rest on it.
(globalThis as any).Narrows = Object.assign(Narrows, { connect, NarrowsError, Presence });
