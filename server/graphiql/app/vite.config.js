import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vite';
import { Licenses } from './licenses.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const licenses = new Licenses();

export default defineConfig({
  base: '/graphiql/',
  publicDir: false,
  plugins: [licenses.plugin(), { name: 'pack', closeBundle: pack }],
  worker: { plugins: () => [licenses.plugin()] },
  resolve: {
    alias: {
      'monaco-editor/esm/vs/editor/edcore.main.js': here('src/monaco.js'),
      'prettier/plugins/estree': here('src/json.js'),
      'prettier/parser-babel': here('src/json.js'),
      'prettier/parser-graphql': 'prettier/plugins/graphql',
    },
  },
  build: {
    outDir: '../assets',
    emptyOutDir: true,
    assetsDir: '',
    assetsInlineLimit: 0,
    target: 'es2022',
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4000,
    rolldownOptions: { checks: { moduleLevelDirective: false, pluginTimings: false } },
  },
});

// Compresses what was built, since the program holds it so and sends it so, and
// notes what it was built from: a test compares that.
function pack() {
  licenses.write(here('../assets/licenses.txt'));
  for (const name of readdirSync(here('../assets'))) {
    const file = here(`../assets/${name}`);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
    rmSync(file);
  }
  writeFileSync(here('../assets/sources.sha256'), sources().map(digest).join(''));
}

function sources() {
  return readdirSync(here('.'), { withFileTypes: true, recursive: true })
    .map((entry) => entry.isFile() && relative(here('.'), join(entry.parentPath, entry.name)))
    .filter((path) => path && !path.startsWith('node_modules'))
    .sort();
}

function digest(path) {
  return `${createHash('sha256').update(readFileSync(here(path))).digest('hex')}  ${path}\n`;
}
