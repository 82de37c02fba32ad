/** What was measured, as a page. */

import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { ROOT, modulesOf } from '../files.js';
import { packagesFor } from './packages.js';

/** How many times as fast as jose gatepass should be. */
const GOALS = { new: 1, replacing: 1, repeated: 20 };

/** With this much of a processor in use before, others disturb what is measured. */
const BUSY = 0.5;

export function report(results, { rounds, starts, load }) {
  const isQuiet = load < BUSY;
  const sizes = JSON.parse(readFileSync(new URL('../sizes.json', import.meta.url), 'utf8'));
  const kilobytes = (bytes) => (bytes / 1024).toFixed(0);
  const own = Object.entries(sizes).map(
    ([name, { module_gzip: module, javascript_gzip: scripts }]) =>
      `| ${name} | ${kilobytes(module)} | ${kilobytes(scripts)} |`,
  );
  return `# gatepass next to jose in every JavaScript runtime

Written by \`npm run bench\` in tests/runtimes, on ${cpus().length} cores (${cpus()[0].model}). What verifies is \`gatepass/verify\`, with its
WebAssembly module, and jose ${joseVersion()}: both check signature, times, audience and issuer of the same RS256 tokens, with their keys in
memory, and read the e-mail. *New* are a thousand tokens of which none is remembered; *replacing* are the same where some hundreds
are, so that each takes the place of another; *repeated* is one token, each time in a string of its own. In ${rounds} rounds of up to 150 ms the two took turns, and all was measured from outside: by processor time, that of all threads of the
runtime (of the page, in Chromium), and by the clock. A ratio is the median of those within the rounds, and in brackets are the
quartiles. The goals are ${GOALS.new} × for new tokens and ${GOALS.repeated} × for repeated ones. ${reaching(isQuiet, load)}

| runtime | tokens | gatepass, µs | jose, µs | ratio by processor time | ratio by the clock |
| --- | --- | ---: | ---: | ---: | ---: |
${results.flatMap((result) => rowsOf(result, isQuiet)).join('\n')}

A cold start is all that a new process takes until its first token is verified, beyond one that verifies nothing: reading,
compiling, the first verifier, the first verification. In Chromium it is a new page, in a profile that has nothing cached, and
the modules are fetched one by one. Milliseconds by the clock, the median of ${starts} and the quartiles.

| runtime | gatepass | jose |
| --- | ---: | ---: |
${results.map(startOf).join('\n')}

What a browser or a worker fetches, compressed with gzip, in KB; nothing is minified.

| package | module | JavaScript |
| --- | ---: | ---: |
${own.join('\n')}
| jose, what verifies | | ${kilobytes(compressedJose())} |
`;
}

function reaching(isQuiet, load) {
  if (isQuiet) return '**Bold** is a ratio whose lower quartile reaches its goal.';
  return `The machine had other work (its load was ${load.toFixed(1)}), so none is called reached.`;
}

function rowsOf({ name, costs }, isQuiet) {
  return Object.entries(costs).map(([kind, { gatepass, jose }]) => {
    const ratio = (by) => {
      const ratios = gatepass.map((own, round) => jose[round][by] / own[by]);
      const [median, low, high] = quartilesOf(ratios);
      const text = `${times(median)} ×`;
      return `${isQuiet && low >= GOALS[kind] ? `**${text}**` : text} (${times(low)} to ${times(high)})`;
    };
    const median = (rounds) => quartilesOf(rounds.map(({ processor }) => processor))[0].toFixed(1);
    return `| ${name} | ${kind} | ${median(gatepass)} | ${median(jose)} | ${ratio('processor')} | ${ratio('clock')} |`;
  });
}

function startOf({ name, starts }) {
  const cell = (times) => {
    const [median, low, high] = quartilesOf(times).map((time) => time.toFixed(0));
    return `${median} (${low} to ${high})`;
  };
  return `| ${name} | ${cell(starts.gatepass)} | ${cell(starts.jose)} |`;
}

/** The median and the two quartiles. */
function quartilesOf(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.5, 0.25, 0.75].map((part) => sorted[Math.floor((sorted.length - 1) * part)]);
}

function times(ratio) {
  return ratio.toFixed(ratio < 10 ? 2 : 0);
}

function joseVersion() {
  return JSON.parse(readFileSync(join(ROOT, 'tests/runtimes/node_modules/jose/package.json'), 'utf8')).version;
}

function compressedJose() {
  const modules = new Map();
  for (const entry of Object.values(packagesFor('browser').jose)) modulesOf(entry, modules);
  const sizes = [...modules.keys()].map((path) => gzipSync(readFileSync(join(ROOT, path)), { level: 9 }).length);
  return sizes.reduce((sum, size) => sum + size);
}
