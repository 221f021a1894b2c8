import type { PermitLane } from '@aurora-iam/rate-limit'
import type { AuroraIam } from './aurora-iam.ts'
import type { ConnectionTarget, DriverAddress } from './endpoint/connection-target.ts'
import type { AuroraIamError } from './errors.ts'
import type { PoolDriver, PoolLifetime } from './lifetime/pool-lifetime.ts'
import type { CallerLimit } from './lifetime/resume-gate.ts'
import type { LoginAttempt } from './login/login-attempt.ts'
import type { WriterCheck } from './login/writer-check.ts'
import type { TlsPolicy } from './tls/tls-policy.ts'

/** Options of one login. */
export interface LoginOptions {
  /** Cancels the wait. */
  readonly signal?: AbortSignal | undefined
  /** `'background'` for a connection that no caller waits for. @defaultValue 'live' */
  readonly lane?: PermitLane | undefined
  /** Time limit of the caller's pool, where it is set and may be shorter than `resumeTimeoutMs`. */
  readonly callerLimit?: CallerLimit | undefined
  /**
   * An object that stands for the pool: pools that wait for permits of one limit take turns.
   *
   * @defaultValue the target
   */
  readonly group?: object | undefined
}

/** An {@link AuroraIam} with the members that adapters are built on. */
export interface AdapterIam extends AuroraIam {
  /** False on the plain password path: the driver's options are then left unchanged. */
  readonly enabled: boolean
  /** Longest time of a TCP connect, in milliseconds. */
  readonly tcpTimeoutMs: number
  /** The longest time until {@link login} resolves or rejects, in milliseconds. */
  readonly longestWaitMs: number
  /** True if the caller wants {@link retryRejected} for each new connection. */
  readonly retryRejectedLogins: boolean
  /**
   * Returns what to sign, verify and dial for an address of the driver.
   *
   * @param userOption - the driver's name for its user option, for messages. @defaultValue 'user'
   * @throws {@link AuroraIamError} for an address that cannot be signed
   */
  resolve(address: DriverAddress, userOption?: string): ConnectionTarget
  /** Returns, with `requireWriter`, how to find out whether a new connection to `target` is kept. */
  writerCheck(target: ConnectionTarget): WriterCheck | undefined
  /**
   * Returns how a connection to `target` is secured, given the driver's own `ssl` option.
   *
   * @throws {@link AuroraIamError} for an `ssl` that would weaken it
   */
  tls(target: ConnectionTarget, ssl?: unknown): TlsPolicy
  /**
   * Returns what decides on the lifetime of the connections of a new pool to `target`. The adapter reports what happens
   * to them, and closes those that it names.
   */
  poolLifetime<Connection extends object>(
    target: ConnectionTarget,
    driver: PoolDriver<Connection>,
  ): PoolLifetime<Connection>
  /**
   * Gets a token, waits for a permit of the rate limit, and asks where to dial. The caller may open a socket after
   * this. A failure is reported to the statistics and to `aurora-iam:connect-failed`.
   *
   * @throws {@link AuroraIamError} a new object for each call, as drivers write to the errors they pass on; and
   * whatever the caller's `dial` throws
   */
  login(target: ConnectionTarget, options?: LoginOptions): Promise<LoginAttempt>
  /**
   * Begins a login as {@link login} does, where it need not wait: a token is cached, a permit is free, and the address
   * is not known to be silent. It takes no promise and no abort signal. Returns undefined in every other case, also
   * where `login` would reject.
   *
   * @param group - as in {@link LoginOptions}
   */
  tryLogin(target: ConnectionTarget, group?: object): LoginAttempt | undefined
  /** Begins a login on an open connection, which changes its user. Nothing is dialled. */
  loginAgain(target: ConnectionTarget, options?: LoginOptions): Promise<LoginAttempt>
  /**
   * Calls `listener` within {@link AuroraIam.close}, with a separate `ERR_AURORA_IAM_CLOSED` for each listener. It is
   * for drivers whose `pool.end()` rejects if a login fails after it was called.
   *
   * @returns what removes the listener
   */
  onClose(listener: (error: AuroraIamError) => void): () => void
  /** Reports a connection that the adapter refused before {@link login}. */
  reportRefusal(target: ConnectionTarget, error: Error): void
  /**
   * Returns the driver's own time limit for a new connection, which runs during {@link login} too: 0 (no limit) stays
   * 0, and no result overflows a timer of Node.
   *
   * @param connectTimeoutMs - from the opening of the socket to the end of the login
   */
  driverTimeoutMs(connectTimeoutMs: number): number
  /**
   * Calls `open`, which opens a connection through {@link login}. Calls it once more, with a new token and its own
   * permit, if the database rejected a token that was signed for an earlier login, or that it had accepted before. Of
   * many that are rejected together one probes the new token, and the others follow if it is accepted; at most once in
   * 5 seconds for one user of one endpoint. A new token is not retried. With `resumeTimeoutMs` it also repeats a login
   * whose connection the server closed before it greeted, up to three times.
   *
   * The error that `open` rejects with must be the object that was given to {@link LoginAttempt.fail}.
   */
  retryRejected<T>(open: () => Promise<T>): Promise<T>
}
