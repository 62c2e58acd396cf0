import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const asksForNotice = /^(licen[sc]e|copying|notice|thirdpartynotices)/i;

// Licenses notes which packages are bundled, in the page and in its workers,
// and writes their licenses down.
export class Licenses {
  packages = new Map(); // by name and version

  plugin() {
    return { name: 'licenses', transform: (_, id) => this.#note(id) };
  }

  write(file) {
    const texts = new Map(); // what packages say, by text
    for (const [name, said] of [...this.packages].sort()) {
      texts.set(said, [...(texts.get(said) ?? []), name]);
    }
    const sections = [...texts].map(([said, names]) => `${'='.repeat(80)}\n${names.join('\n')}\n\n${said}\n`);
    writeFileSync(file, `The page at /graphiql is made of these packages.\n\n${sections.join('\n')}`);
  }

  #note(id) {
    const [directory] = id.match(/^.*\/node_modules\/(@[^/]+\/)?[^/]+(?=\/)/) ?? [];
    if (!directory) return;
    const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json')));
    if (this.packages.has(`${name} ${version}`)) return;
    const texts = readdirSync(directory)
      .filter((file) => asksForNotice.test(file))
      .sort()
      .map((file) => readFileSync(join(directory, file), 'utf8').replaceAll('\r', '').trim());
    if (!license && texts.length === 0) throw new Error(`${name} does not tell its license`);
    this.packages.set(`${name} ${version}`, [`License: ${license}`, ...texts].join('\n\n'));
  }
}
