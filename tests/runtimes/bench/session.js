/** A runtime that takes turns, seen from outside: what each turn costs, by the clock and of the processor. */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, posix } from 'node:path';

import { ROOT } from '../files.js';

const TYPES = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
/** Milliseconds that a turn may take. */
const PATIENCE = 60_000;

export class Session {
  #server;
  #started;
  #asking;
  #asked = () => {};
  #failed;
  #failure = new Promise((_, reject) => (this.#failed = reject));

  /**
   * Starts a runtime, which then waits for its first turn.
   *
   * @param {object} runtime one of `runtimes.js`
   * @param {object} material what is verified
   * @param {Record<string, string>} packages name → file of what it may import
   */
  static async start(runtime, material, packages) {
    const session = new Session();
    session.#failure.catch(() => {});
    const server = createServer((request, response) => session.#answer(request, response, material, packages));
    session.#server = server;
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const origin = `http://127.0.0.1:${server.address().port}`;
    const asked = session.#next();
    session.#started = await runtime.start(origin, packages, (message) => session.#failed(new Error(message)));
    await asked;
    return session;
  }

  async stop() {
    await this.#started.stop();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Has the runtime verify so many tokens, and gives the microseconds that it takes. */
  async take(turn) {
    await this.#say(turn);
    const begin = this.#reading();
    await this.#say('go');
    const end = this.#reading();
    return { clock: end.clock - begin.clock, processor: end.processor - begin.processor };
  }

  /** Microseconds since it was told to start. */
  get age() {
    return (performance.now() - this.#started.since) * 1000;
  }

  #reading() {
    const clock = performance.now() * 1000;
    return { clock, processor: this.#started.processes.map(processorTime).reduce((sum, time) => sum + time, 0) };
  }

  async #say(value) {
    const next = this.#next();
    this.#asking.setHeader('content-type', 'application/json').end(JSON.stringify(value));
    await next;
  }

  /** When the runtime has asked what is next. */
  async #next() {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer after ${PATIENCE} ms`)), PATIENCE);
    });
    const asked = new Promise((resolve) => (this.#asked = resolve));
    try {
      this.#asking = await Promise.race([asked, this.#failure, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #answer(request, response, material, packages) {
    const { url } = request;
    const send = (type, body) => response.setHeader('content-type', type).end(body);
    switch (url) {
      case '/next':
        return this.#asked(response);
      case '/failed':
        return (this.#failed(new Error(Buffer.concat(await request.toArray()).toString())), response.end());
      case '/material':
        return send('application/json', JSON.stringify(material));
      case '/':
        return send('text/html', page(packages));
    }
    const path = join(ROOT, posix.normalize(url));
    if (!Object.hasOwn(TYPES, extname(path)) || !existsSync(path)) return response.writeHead(404).end();
    return send(TYPES[extname(path)], readFileSync(path));
  }
}

function page(packages) {
  const imports = Object.fromEntries(Object.entries(packages).map(([name, file]) => [name, `/${file}`]));
  return `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="/tests/runtimes/bench/page.js"></script>`;
}

/** Microseconds of the processor that the threads of a process have used. */
function processorTime(process) {
  const folder = `/proc/${process}/task`;
  const nanoseconds = readdirSync(folder).map((thread) => {
    try {
      return Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // A thread that has just ended.
      return 0;
    }
  });
  return nanoseconds.reduce((sum, time) => sum + time, 0) / 1000;
}
