/**
 * Google's endpoints on this machine, for tests: the program `gatepass emulator`, started and steered. It works with
 * every test runner, `node:test`, vitest and Jest among them.
 *
 * The emulator's keys are public: never make a service trust them that others can reach.
 */

/** The emulator of Google's endpoints. */
export class Emulator {
  /**
   * Starts one on free ports. It ends with {@link stop}, or else with this process.
   *
   * @throws {Error} there is no program `gatepass`, or it ended before it listened
   */
  static start(options?: EmulatorOptions): Promise<Emulator>;

  /**
   * One that runs already, such as in a container, {@link reset}.
   *
   * @param url where it listens
   */
  static at(url: string | URL, options?: { program?: string }): Promise<Emulator>;

  private constructor();

  /** Ends it, and waits until it has ended; one that {@link start} has not started goes on. */
  stop(): Promise<void>;

  /** Where it listens, without a slash at the end. */
  readonly url: string;
  /** The same over TLS: it asks for a client certificate, and {@link authority} has signed its own. */
  readonly tlsUrl?: string;
  /** The variables by which Application Default Credentials find it, Google's libraries' as well. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where the keys of its ID tokens are: `keysUrl` of a `Verifier`. */
  readonly keysUrl: string;
  /** Where the keys of IAP's tokens are. */
  readonly iapKeysUrl: string;

  /**
   * Sets {@link environment} in this process, and forgets the tokens and keys that functions such as `fetchIdToken` keep
   * for the process.
   *
   * @returns what undoes it
   */
  useEnvironment(): () => void;

  /** Signs an ID token as Google would, as good or as bad as ordered. */
  mint(order?: TokenOrder): Promise<string>;

  /** Spoils the next answers for a path, such as `{ path: '/token', status: 503, times: 2 }`. */
  fault(fault: Fault): Promise<void>;

  /** Sets how many seconds its clock is fast, or slow if negative. */
  setClock(offsetSeconds: number): Promise<void>;

  /** Replaces the keys of its ID tokens. */
  rotateKeys(): Promise<void>;

  /** How often each path was asked for since the last {@link reset}. */
  counts(): Promise<Record<string, number>>;

  /** Counts from zero, forgets the faults that wait, and sets the clock right. Rotated keys stay. */
  reset(): Promise<void>;

  /** A credential file, parsed, by the options of `gatepass emulator key`: `keyFile('--email', 'a@b.example')`. */
  keyFile(...options: string[]): Promise<Record<string, unknown>>;

  /** The same, written to a file, and the files that it names next to it. */
  writeKeyFile(path: string, ...options: string[]): Promise<void>;

  /** The certificate of the authority that has signed its own, in PEM. */
  authority(): Promise<string>;

  /** What one of its access tokens is for. */
  tokenInfo(accessToken: string): Promise<Record<string, unknown>>;

  /**
   * Sends a request as one of Google's senders does, by the options of `gatepass emulator push`.
   *
   * @returns whether it was accepted
   */
  push(...options: string[]): Promise<boolean>;
}

/** How {@link Emulator.start} starts it. */
export interface EmulatorOptions {
  /** Options of `gatepass emulator`, such as `['--lifetime', '60']`. */
  arguments?: readonly string[];
  /** The program `gatepass`; left out, the variable GATEPASS_PROGRAM's, else the one on PATH. */
  program?: string;
}

/** What {@link Emulator.mint} is to sign; what is left out is as Google has it. */
export interface TokenOrder {
  /** Whom it is for. */
  audience?: string;
  /** The service account that it is about. */
  email?: string;
  /** Other claims to have in it. */
  claims?: Readonly<Record<string, unknown>>;
  /** Claims to leave out. */
  omit?: readonly string[];
  /** Members of its header. */
  header?: Readonly<Record<string, unknown>>;
  /** How many seconds it lives. */
  lifetime?: number;
  /** When it begins, in Unix seconds. */
  issuedAt?: number;
  /** Replace its signature as Cloud Run does. */
  stripSignature?: boolean;
  /** Whose key signs it. */
  key?: 'iap';
}

/** What {@link Emulator.fault} is to do instead of answering. */
export interface Fault {
  /** The path, without a query. */
  path: string;
  /** For how many requests; 1, if left out. */
  times?: number;
  status?: number;
  headers?: Readonly<Record<string, string>>;
  body?: unknown;
  bodyBytes?: number;
  delayMs?: number;
  /** Close the connection without an answer. */
  drop?: boolean;
  /** Give all of the requests the answer of the first. */
  sameAnswer?: boolean;
  /** How long the tokens in the real answer live, in seconds. */
  lifetime?: number;
  /** What is different about the ID token in the real answer: members as the emulator spells them. */
  idToken?: Readonly<Record<string, unknown>>;
  /** Replace the refresh token. */
  rotateRefreshToken?: boolean;
}
