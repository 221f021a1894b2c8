import { LocalAuroraError } from '../errors.ts'
import type { IamRefusal } from '../log/log-events.ts'

/** Faults of connections that begin from now on. */
export interface FaultSettings {
  /** Shows a certificate that a client must not accept. */
  readonly certificate?: 'other-ca' | 'wrong-name' | 'expired' | 'self-signed'
  /** Offers no TLS, and asks for the token nevertheless. A client must not send it. */
  readonly tls?: 'absent'
  /** Refuses every token for this reason. */
  readonly refuse?: IamRefusal
  /** Wait before the greeting, in milliseconds. */
  readonly greetingDelayMs?: number
  /** Wait between the token and the decision about it, in milliseconds. */
  readonly authDelayMs?: number
  /** Sends nothing more from that step on, until the client leaves. */
  readonly hang?: 'before-greeting' | 'after-tls' | 'after-token'
  /** Breaks the connection after so many bytes to the client, those of TLS included. */
  readonly cutAfterBytes?: number
  /**
   * Greets as another server: as a MariaDB, with `mysql_clear_password` or `caching_sha2_password` as the plugin of the
   * greeting, or as a recent MariaDB with `mysql_clear_password`.
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

/** Connections of a server that {@link Faults} acts on. */
export interface FaultTarget {
  /** Breaks every open connection and returns how many there were. */
  drop(): number
  /** Stops the traffic of open and new connections until {@link FaultTarget.release}. Closes none. */
  hold(): void
  /** Ends {@link FaultTarget.hold}. */
  release(): void
  /** Closes the sessions that had no command for `idleMs`, and returns how many there were. */
  closeIdle(idleMs: number): number
}

/** Faults that one Local Aurora injects. */
export class Faults {
  #current: FaultSettings = {}
  readonly #targets: FaultTarget[] = []

  /** Makes these faults act on the connections of a server, too. */
  attach(target: FaultTarget): void {
    this.#targets.push(target)
  }

  /** Settings for connections that begin now. */
  get current(): FaultSettings {
    return this.#current
  }

  /**
   * Injects these faults in place of earlier ones. A connection keeps the faults that it began with.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
   */
  set(settings: FaultSettings): void {
    for (const [name, value] of Object.entries(settings)) checkFault(name, value)
    this.#current = { ...settings }
  }

  /** Ends every fault, {@link Faults.blackhole} included. */
  clear(): void {
    this.#current = {}
    for (const target of this.#targets) target.release()
  }

  /** Breaks every open connection, as a failover does, and returns how many there were. */
  dropConnections(): number {
    return this.#targets.reduce((sum, target) => sum + target.drop(), 0)
  }

  /**
   * Holds back all traffic of open and new connections, as a network that loses every packet: no byte is sent, and no
   * connection is closed. {@link Faults.clear} ends it, and the bytes that waited arrive. The kernel still acknowledges
   * what it receives, keep-alive probes included. Only a firewall or a network namespace can prevent that.
   */
  blackhole(): void {
    for (const target of this.#targets) target.hold()
  }

  /**
   * Closes the sessions that have been idle, as the server's `wait_timeout` does: with error 4031, then the end.
   * Returns how many there were. A session with a command under way is not idle.
   *
   * @param idleMs - How long a session must have been idle, in milliseconds. @defaultValue 0
   * @see https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_client_interaction_timeout
   */
  closeIdleSessions(idleMs = 0): number {
    checkFault('closeIdleSessions', idleMs, 'amount')
    return this.#targets.reduce((sum, target) => sum + target.closeIdle(idleMs), 0)
  }
}

/** Largest value: Node runs a timer with a longer time at once. */
const LARGEST_AMOUNT = 2 ** 31 - 1

function checkFault(name: string, value: unknown, choice = choiceOf(name)): void {
  if (value === undefined) return
  if (choice === undefined) throw invalid(name, `is no fault; there are ${Object.keys(CHOICES).join(', ')}`)
  if (choice === 'amount') {
    if (typeof value === 'number' && value >= 0 && value <= LARGEST_AMOUNT) return
    throw invalid(name, `expected a number from 0 to ${LARGEST_AMOUNT}`)
  }
  if (choice === 'error') {
    const { errno, message } = value as { errno?: unknown; message?: unknown }
    if (Number.isInteger(errno) && typeof message === 'string') return
    throw invalid(name, 'expected { errno, sqlState, message }')
  }
  if (!choice.includes(value)) throw invalid(name, `expected one of ${choice.join(', ')}`)
}

function choiceOf(name: string): (typeof CHOICES)[keyof FaultSettings] | undefined {
  return Object.hasOwn(CHOICES, name) ? CHOICES[name as keyof FaultSettings] : undefined
}

function invalid(name: string, problem: string): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', `faults: ${name}: ${problem}`, {
    option: `faults.${name}`,
  })
}
