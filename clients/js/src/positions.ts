import { base64url } from "./base64url.js";

/** As much as is offered to a server, in bytes of base64url. */
const OFFERED = 4096;
/** As many groups as are remembered. */
const KEPT = 1000;

/** What the client had last of each group with a history. A position is `{epoch}-{offset}`. */
export class Positions {
  /** The newest last. */
  private readonly known = new Map<string, string>();

  get(group: string): string | undefined {
    return this.known.get(group);
  }

  set(group: string, at: string): void {
    this.known.delete(group);
    this.known.set(group, at);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value!);
  }

  forget(group: string): void {
    this.known.delete(group);
  }

  /** Takes note of a message; `false` when it was here before. */
  advance(group: string, at: string): boolean {
    const [epoch, offset] = split(at);
    const [known, last] = split(this.known.get(group) ?? "");
    if (epoch === known && offset <= last) return false;
    this.set(group, at);
    return true;
  }

  /** As many as fit, the newest first, as the name of a subprotocol ends; empty when there are none. */
  offer(): string {
    const newest: [string, string][] = [];
    // Three bytes become four. Braces, and for each the quotes, the colon and the comma.
    let room = (OFFERED / 4) * 3 - 2;
    const utf8 = new TextEncoder();
    for (const [group, at] of [...this.known].reverse()) {
      room -= utf8.encode(JSON.stringify(group)).length + at.length + 4;
      if (room < 0) break;
      newest.push([group, at]);
    }
    if (!newest.length) return "";
    // Not an object of JavaScript: that would put names that are numbers first.
    const members = newest.map(([group, at]) => `${JSON.stringify(group)}:${JSON.stringify(at)}`);
    return base64url(utf8.encode(`{${members.join(",")}}`));
  }
}

const split = (at: string): [string, number] => {
  const [epoch = "", offset = ""] = at.split("-");
  return [epoch, Number(offset)];
};
