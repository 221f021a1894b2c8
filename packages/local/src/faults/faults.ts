import { LocalAuroraError } from '../errors.ts'
import type { IamRefusal } from '../log/log-events.ts'

/** Faults of connections that begin from now on. */
export interface FaultSettings {
  /** Shows a certificate that a client must not accept. */
  readonly certificate?: 'other-ca' | 'wrong-name' | 'expired' | 'self-signed'
  /** Offers no TLS, and asks for the token all the same: a client must keep it to itself. */
  readonly tls?: 'absent'
  /** Refuses every token for this reason. */
  readonly refuse?: IamRefusal
  /** Waits before greeting. */
  readonly greetingDelayMs?: number
  /** Waits between receiving the token and judging it. */
  readonly authDelayMs?: number
  /** Says nothing more from that point on, until the client times out. */
  readonly hang?: 'before-greeting' | 'after-tls' | 'after-token'
  /** Breaks the connection once this many bytes, TLS included, were sent to the client. */
  readonly cutAfterBytes?: number
  /**
   * Greets as another server would: as a MariaDB, or naming `mysql_clear_password` or `caching_sha2_password`
   * as the plugin to answer for at once; or as a recent MariaDB that names `mysql_clear_password`.
   */
  readonly greeting?: 'mariadb' | 'clear-password' | 'caching-sha2' | 'mariadb-clear-password'
  /** Sends this error instead of a greeting, such as 1040 for too many connections. */
  readonly error?: { readonly errno: number; readonly sqlState?: string; readonly message: string }
}

const CHOICES: { readonly [Key in keyof FaultSettings]-?: readonly unknown[] | 'amount' | 'error' } = {
  certificate: ['other-ca', 'wrong-name', 'expired', 'self-signed'],
  tls: ['absent'],
  refuse: ['InvalidToken', 'ExpiredToken', 'NotAuthorized', 'ThrottlingException', 'InternalError'],
  greetingDelayMs: 'amount',
  authDelayMs: 'amount',
  hang: ['before-greeting', 'after-tls', 'after-token'],
  cutAfterBytes: 'amount',
  greeting: ['mariadb', 'clear-password', 'caching-sha2', 'mariadb-clear-password'],
  error: 'error',
}

/** The misbehaviour of one Local Aurora. */
export class Faults {
  #current: FaultSettings = {}
  readonly #drop: () => number

  /** @param drop - Breaks every open connection and returns how many there were. */
  constructor(drop: () => number) {
    this.#drop = drop
  }

  /** The current settings. */
  get current(): FaultSettings {
    return this.#current
  }

  /**
   * Misbehaves as told, and in no other way: what was set before is forgotten. A connection keeps the faults it began with.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
   */
  set(settings: FaultSettings): void {
    for (const [name, value] of Object.entries(settings)) checkFault(name, value)
    this.#current = { ...settings }
  }

  /** Behaves again. */
  clear(): void {
    this.#current = {}
  }

  /** Breaks every open connection without a word, as a failover does, and returns how many there were. */
  dropConnections(): number {
    return this.#drop()
  }
}

function checkFault(name: string, value: unknown): void {
  if (value === undefined) return
  const choice = Object.hasOwn(CHOICES, name) ? CHOICES[name as keyof FaultSettings] : undefined
  if (choice === undefined) throw invalid(name, `is no fault; there are ${Object.keys(CHOICES).join(', ')}`)
  if (choice === 'amount') {
    if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return
    throw invalid(name, 'expected a number that is not negative')
  }
  if (choice === 'error') {
    const { errno, message } = value as { errno?: unknown; message?: unknown }
    if (Number.isInteger(errno) && typeof message === 'string') return
    throw invalid(name, 'expected { errno, sqlState, message }')
  }
  if (!choice.includes(value)) throw invalid(name, `expected one of ${choice.join(', ')}`)
}

function invalid(name: string, problem: string): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', `faults: ${name}: ${problem}`, {
    option: `faults.${name}`,
  })
}
