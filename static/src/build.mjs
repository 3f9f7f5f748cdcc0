// Bundles the config editor (CodeMirror 6) into static/build/, which git ignores.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import path from "node:path";

const here = path.dirname(fileURLToPath(import.meta.url));

await build({
  entryPoints: [path.join(here, "config-editor.js")],
  outdir: path.join(here, "..", "build"),
  bundle: true,
  format: "esm",
  minify: true,
  sourcemap: true,
  target: "es2022",
  logLevel: "info",
});
