// Builds the client: into crates/narrows/client, where the server embeds it, and into dist for npm.
// With --verify it writes nothing, and fails where what is committed is not what would be written.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const embedded = join(root, "../../crates/narrows/client");
const MOST = 6 * 1024;
const verify = process.argv.includes("--verify");

const { version, license } = JSON.parse(readFileSync(join(root, "package.json")));
const targets = [
  { name: "narrows.js", entry: "src/global.ts", format: "iife" },
  { name: "narrows.mjs", entry: "src/index.ts", format: "esm" },
];

for (const { name, entry, format } of targets) {
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    format,
    bundle: true,
    minify: true,
    target: "es2020",
    charset: "ascii",
    legalComments: "none",
    banner: { js: `/* narrows-client ${version}, ${license} */` },
    write: false,
  });
  const code = Buffer.from(result.outputFiles[0].contents);
  const size = gzipSync(code, { level: 9 }).length;
  console.log(`${name}: ${code.length} bytes, ${size} gzipped`);
  if (size > MOST) fail(`${name} is larger than ${MOST} bytes`);
  const path = join(embedded, name);
  if (verify) {
    if (!code.equals(readFileSync(path))) fail(`${path} is not what the source makes: npm run build`);
    continue;
  }
  for (const folder of [embedded, join(root, "dist")]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), code);
  }
}
if (!verify) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.types.json"], { cwd: root, stdio: "inherit" });
}

function fail(why) {
  console.error(why);
  process.exit(1);
}
