// The client in Node, at a test's command: a line of the input is an expression, its value a line of the output.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

globalThis.Narrows = (await import(pathToFileURL(process.argv[2]))).Narrows;
console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const value = await (0, eval)(line);
    console.log(`value: ${JSON.stringify(value === undefined ? null : value)}`);
  } catch (error) {
    console.log(`failed: ${error.stack.replaceAll("\n", " ")}`);
  }
}
