// Clients of the ordeal: they log what they get, say something now and then, and tell in the end what they saw.
//
//   node --experimental-websocket clients.mjs MODULE '{"urls": […], "clients": 200, "sayEvery": 20000}'
//
// It prints "joined" once all are in. They say on until its input says "stop"; "expect N" tells how many messages there
// were from the publisher. It prints "said" once all that they said is answered, and in the end its report.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [module, options] = process.argv.slice(2);
const { Narrows } = await import(pathToFileURL(module).href);
const { urls, clients: count, sayEvery } = JSON.parse(options);

const any = (list) => list[Math.floor(Math.random() * list.length)];
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let stopped = false;

class Person {
    constructor(number) {
        this.name = `person-${String(number).padStart(4, "0")}`;
        this.log = [];
        this.said = 0;
        this.trouble = [];
        this.frames = 0;
        this.client = new Narrows(() => `${any(urls)}/ws/ordeal?name=${this.name}`);
        this.client.on("said", ({ from, n }) => this.log.push(`${from} ${n}`));
        this.client.on("presence", () => this.frames++);
        this.resumes = 0;
        this.opens = 0;
        this.client.on("narrows.open", ({ resumed }) => { this.opens++; this.resumes += resumed; });
        for (const bad of ["narrows.unrecovered", "narrows.final", "narrows.error", "error"]) {
            this.client.on(bad, (event) => this.trouble.push(`${bad} ${JSON.stringify(event)} ${event.error ?? ""}`));
        }
        this.presence = this.client.presence("ordeal");
    }

    async say() {
        await pause(Math.random() * sayEvery);
        while (!stopped) {
            const n = this.said + 1;
            try {
                await this.client.request({ type: "say", n }, { retry: true, timeout: 60_000 });
                this.said = n;
            } catch (error) {
                this.trouble.push(`say ${n}: ${error}`);
                return;
            }
            await pause(sayEvery);
        }
    }
}

const people = Array.from({ length: count }, (_, number) => new Person(number));
await Promise.all(people.map((person) => new Promise((resolve) => person.client.on("narrows.open", resolve))));
console.log("joined");
const saying = people.map((person) => person.say());

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
await lines.next(); // stop
stopped = true;
await Promise.all(saying);
console.log("said");
const expected = Number((await lines.next()).value.split(" ")[1]) + people.reduce((sum, { said }) => sum + said, 0);
const names = people.map(({ name }) => name).join();
const roster = ({ presence }) => [...presence.people.keys()].sort().join();
const done = () => people.every((person) => person.log.length >= expected && roster(person) === names);
for (let waited = 0; !done() && waited < 30_000; waited += 100) await pause(100);
await pause(1000); // For what comes twice.

// The first one's order is everybody's; in it each sender's numbers are 1, 2, 3 …
const order = people[0].log;
const numbers = new Map();
const outOfOrder = order.filter((entry) => {
    const [from, n] = entry.split(" ");
    const right = Number(n) === (numbers.get(from) ?? 0) + 1;
    numbers.set(from, Number(n));
    return !right;
});
const whole = order.join("\n");
const report = {
    clients: people.length,
    expected,
    fewest: Math.min(...people.map(({ log }) => log.length)),
    most: Math.max(...people.map(({ log }) => log.length)),
    outOfOrder: outOfOrder.slice(0, 10),
    otherOrder: people.filter(({ log }) => log.join("\n") !== whole).map(({ name }) => name),
    wrongRosters: people.filter((person) => roster(person) !== names).map(({ name }) => name),
    trouble: people.flatMap(({ name, trouble }) => trouble.map((text) => `${name}: ${text}`)),
    said: people.reduce((sum, { said }) => sum + said, 0),
    opened: people.reduce((sum, { opens }) => sum + opens, 0),
    resumed: people.reduce((sum, { resumes }) => sum + resumes, 0),
    presenceFrames: Math.max(...people.map(({ frames }) => frames)),
};
console.log(`report ${JSON.stringify(report)}`);
process.exit(0);
