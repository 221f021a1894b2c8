import type { MovableClock } from './clock.ts'
import type { Account } from './database/accounts.ts'
import type { Backend } from './database/backend.ts'
import { LocalAuroraError } from './errors.ts'
import type { Faults } from './faults/faults.ts'
import type { CredentialIdentity, Principals } from './iam/principals.ts'
import type { Throttle, ThrottleSetting } from './iam/throttle.ts'
import type { LoginLog } from './log/login-log.ts'
import { type CredentialEndpoints, startCredentialEndpoints } from './metadata/metadata-server.ts'
import type { Clock, ResolvedOptions } from './options.ts'
import type { Listener } from './server/listener.ts'

/** Parts of {@link LocalAurora}. */
export interface LocalAuroraParts {
  readonly options: ResolvedOptions
  readonly backend: Backend
  readonly listener: Listener
  readonly log: LoginLog
  readonly throttle: Throttle
  readonly clock: MovableClock
  readonly principals: Principals
  readonly ca: string
}

/** Options of `withAuroraIam` and `createAuroraIam` for a Local Aurora. */
export interface LocalAuroraIam {
  readonly hostname: string
  /** Only where the option `signedPort` was given. */
  readonly port?: number
  readonly region: string
  readonly credentials: CredentialIdentity
  readonly ca: string
  readonly clock: Clock
}

/** A running Local Aurora, from {@link startLocalAurora}. `await using` closes it. */
export class LocalAurora implements AsyncDisposable {
  readonly #parts: LocalAuroraParts
  #endpoints: Promise<CredentialEndpoints> | undefined
  #closing: Promise<void> | undefined
  readonly #ended = new AbortController()

  /** Use {@link startLocalAurora}. */
  constructor(parts: LocalAuroraParts) {
    this.#parts = parts
    const { ended } = parts.backend
    if (ended.aborted) this.#endWith(ended.reason)
    else ended.addEventListener('abort', () => this.#endWith(ended.reason), { once: true })
  }

  /** The address to dial. */
  get host(): string {
    return this.#parts.options.host
  }

  /** The port to dial, and to sign unless the option `signedPort` says otherwise. */
  get port(): number {
    return this.#parts.listener.port
  }

  /** The name to sign, and to verify in the certificate. */
  get hostname(): string {
    return this.#parts.options.hostname
  }

  /** All names that may be signed in its place. */
  get hostnames(): readonly string[] {
    return this.#parts.options.hostnames
  }

  get region(): string {
    return this.#parts.options.region
  }

  /** The certificate to trust, in PEM. */
  get ca(): string {
    return this.#parts.ca
  }

  /** Credentials to sign with, in the shape that AWS SDKs take. They open nothing else. */
  get credentials(): CredentialIdentity {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = this.#parts.options.principals[0]
    return {
      accessKeyId,
      secretAccessKey,
      ...(sessionToken && { sessionToken }),
      ...(expiration && { expiration }),
    }
  }

  /**
   * The account that may create users, as Aurora's master user does: `admin` with a password in the private database, the
   * account of the URL in a `backend`. It logs in with its password, over TLS and without a token.
   */
  get admin(): Account {
    return this.#parts.backend.admin
  }

  /**
   * Aborted when nothing is served any more. The reason is a {@link LocalAuroraError}: `ERR_LOCAL_AURORA_CLOSED` after
   * {@link LocalAurora.close}, or `ERR_LOCAL_AURORA_DATABASE_FAILED` with the last words of a private database that was
   * killed or crashed. The log then has an event `database-ended`, and clients are refused as by a host without a server.
   */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** The database that is there from the start. */
  get database(): string {
    return this.#parts.backend.database
  }

  /** Where to connect, without a user: `mysql://127.0.0.1:<port>/<database>`. */
  get url(): string {
    const host = this.host.includes(':') ? `[${this.host}]` : this.host
    return `mysql://${host}:${this.port}/${encodeURIComponent(this.database)}`
  }

  /** The second argument of `withAuroraIam` for a driver whose `host` and `port` are those of this Local Aurora. */
  get iam(): LocalAuroraIam {
    const { hostname, region, signedPort } = this.#parts.options
    const { ca, credentials } = this
    return {
      hostname,
      ...(signedPort && { port: signedPort }),
      region,
      credentials,
      ca,
      clock: () => this.now(),
    }
  }

  /** The login log. */
  get log(): LoginLog {
    return this.#parts.log
  }

  /** The faults to inject. */
  get faults(): Faults {
    return this.#parts.listener.faults
  }

  /** Identities whose tokens can be valid: add and remove them as credentials change. */
  get principals(): Principals {
    return this.#parts.principals
  }

  /** Number of clients that are connected now. */
  get openConnections(): number {
    return this.#parts.listener.openConnections
  }

  /** Returns the time by which tokens are judged, in epoch milliseconds. */
  now(): number {
    return this.#parts.clock.now()
  }

  /** Tells the time by another clock. A moment stands still until the clock is set again. */
  setClock(clock: Clock | Date | number): void {
    this.#parts.clock.set(clock)
  }

  /**
   * Limits logins in another way from now on.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
   */
  setThrottle(setting: ThrottleSetting): void {
    this.#parts.throttle.set(setting)
  }

  /**
   * Restarts the private database, as a failover does to the old writer: every connection breaks, new ones are
   * refused until it is back, and what was committed is still there.
   *
   * @param options - `readOnly`: it comes back as a reader, and answers 1290 to every change. @defaultValue false
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`: the database was given as `backend`;
   * `ERR_LOCAL_AURORA_CLOSED`; `ERR_LOCAL_AURORA_DATABASE_FAILED`: it did not come back
   */
  async restart({ readOnly = false }: { readonly readOnly?: boolean } = {}): Promise<void> {
    this.#assertOpen()
    const { listener, backend } = this.#parts
    const { restart } = backend
    if (restart === undefined) {
      throw new LocalAuroraError(
        'ERR_LOCAL_AURORA_INVALID_OPTION',
        'backend: the database at that URL is not ours to restart; leave `backend` out to have a MariaDB started',
        { option: 'backend' },
      )
    }
    await listener.closedDuring(() => restart(readOnly))
  }

  /**
   * Endpoints that play EC2 instance metadata and container credentials and hand out
   * {@link LocalAurora.credentials}, so that an AWS SDK's own provider chain can be tried. Started once, ended by {@link LocalAurora.close}.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_CLOSED`
   */
  async startCredentialEndpoints(): Promise<CredentialEndpoints> {
    this.#assertOpen()
    this.#endpoints ??= startCredentialEndpoints(() => this.credentials)
    return this.#endpoints
  }

  /** Ends every connection, the endpoints and the private database. May be called again. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #assertOpen(): void {
    if (this.#ended.signal.aborted) throw this.#ended.signal.reason
  }

  /** The private database has ended: no client can be served, and none is to wait. */
  #endWith(error: LocalAuroraError): void {
    if (this.#ended.signal.aborted) return
    const { log, listener } = this.#parts
    this.#ended.abort(error)
    log.record({ type: 'database-ended', connection: 0, detail: error.message })
    void listener.close()
  }

  async #close(): Promise<void> {
    this.#ended.abort(new LocalAuroraError('ERR_LOCAL_AURORA_CLOSED', 'this Local Aurora was closed'))
    await this.#parts.listener.close()
    await this.#endpoints?.then((endpoints) => endpoints.close())
    await this.#parts.backend.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
