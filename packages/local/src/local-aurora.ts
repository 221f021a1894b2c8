import type { Clock, MovableClock } from './clock.ts'
import type { Account } from './database/accounts.ts'
import type { MariaDbPair } from './database/mariadb-pair.ts'
import { LocalAuroraError } from './errors.ts'
import type { Faults } from './faults/faults.ts'
import type { CredentialIdentity, Principals } from './iam/principals.ts'
import type { Throttle, ThrottleSetting } from './iam/throttle.ts'
import { keepAliveDuring } from './keep-alive.ts'
import type { LoginLog } from './log/login-log.ts'
import { type CredentialEndpoints, startCredentialEndpoints } from './metadata/metadata-server.ts'
import type { ResolvedOptions } from './options.ts'
import { Cluster, type ServerAddress } from './server/cluster.ts'
import type { Instance } from './server/instance.ts'

/** Dependencies of {@link LocalAurora}. */
export interface LocalAuroraParts {
  readonly options: ResolvedOptions
  /** The servers: the first writer, and the reader if there is one. */
  readonly instances: readonly [Instance, ...Instance[]]
  /** The two databases, if there is a reader. */
  readonly pair: MariaDbPair | undefined
  readonly faults: Faults
  readonly log: LoginLog
  readonly throttle: Throttle
  readonly clock: MovableClock
  readonly principals: Principals
  readonly ca: string
}

/** Options of `withAuroraIam` and `createAuroraIam` for a Local Aurora. */
export interface LocalAuroraIam {
  readonly hostname: string
  /** Port to sign. Present if the option `signedPort` was given. */
  readonly port?: number
  readonly region: string
  readonly credentials: CredentialIdentity
  readonly ca: string
  readonly clock: Clock
}

/** A running Local Aurora, from {@link startLocalAurora}. `await using` closes it. */
export class LocalAurora implements AsyncDisposable {
  readonly #parts: LocalAuroraParts
  readonly #cluster: Cluster
  #endpoints: Promise<CredentialEndpoints> | undefined
  #closing: Promise<void> | undefined
  readonly #ended = new AbortController()

  /** Creates the object that {@link startLocalAurora} returns. Call that function instead. */
  constructor(parts: LocalAuroraParts) {
    this.#parts = parts
    const { instances, pair, options, log } = parts
    this.#cluster = new Cluster({ instances, pair, hostnames: options.hostnames, log })
    for (const { backend } of parts.instances) {
      const { ended } = backend
      if (ended.aborted) this.#endWith(ended.reason)
      else ended.addEventListener('abort', () => this.#endWith(ended.reason), { once: true })
    }
  }

  /** The address to dial. */
  get host(): string {
    return this.#parts.options.host
  }

  /** The port to dial. It is also the port to sign, unless the option `signedPort` was given. */
  get port(): number {
    return this.#parts.instances[0].listener.port
  }

  /** The name to sign, and to verify in the certificate. */
  get hostname(): string {
    return this.#parts.options.hostname
  }

  /** All names that may be signed, {@link LocalAurora.hostname} included. */
  get hostnames(): readonly string[] {
    return this.#parts.options.hostnames
  }

  /** The Region to sign for. */
  get region(): string {
    return this.#parts.options.region
  }

  /** The certificate to trust, in PEM. */
  get ca(): string {
    return this.#parts.ca
  }

  /** Credentials to sign with, in the shape that AWS SDKs take. They are valid for this Local Aurora alone. */
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
   * The account that may create users, as Aurora's master user does. In the private database it is `admin` with a
   * password, in a `backend` it is the account of the URL. It logs in with its password, over TLS and without a token.
   */
  get admin(): Account {
    return this.#parts.instances[0].backend.admin
  }

  /**
   * Signal that aborts when clients are no longer served. The reason is a {@link LocalAuroraError}:
   * `ERR_LOCAL_AURORA_CLOSED` after {@link LocalAurora.close}, or `ERR_LOCAL_AURORA_DATABASE_FAILED` with the last
   * output of a private database that was killed or crashed. The log then has an event `database-ended`, and
   * connections are refused.
   */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** The database that exists from the start. */
  get database(): string {
    return this.#parts.instances[0].backend.database
  }

  /** URL to connect to, without a user: `mysql://127.0.0.1:<port>/<database>`. */
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
    return this.#parts.faults
  }

  /** Identities whose tokens can be valid: add and remove them as credentials change. */
  get principals(): Principals {
    return this.#parts.principals
  }

  /** Number of clients that are connected now. */
  get openConnections(): number {
    return this.#parts.instances.reduce((sum, { listener }) => sum + listener.openConnections, 0)
  }

  /** Returns the time by which tokens are judged, in epoch milliseconds. */
  now(): number {
    return this.#parts.clock.now()
  }

  /**
   * Sets the clock by which tokens are judged. A moment stands still until the clock is set again.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`
   */
  setClock(clock: Clock | Date | number): void {
    this.#parts.clock.set(clock)
  }

  /**
   * Sets another limit of logins. Attempts so far do not count.
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
    await keepAliveDuring(this.#cluster.restart(readOnly))
  }

  /**
   * Makes the reader the writer, and the writer a reader, without losing a committed transaction. Connections to the
   * old writer break, and it refuses new ones meanwhile. {@link LocalAurora.writer} and {@link LocalAurora.addressOf}
   * change.
   *
   * @param options - `keepConnections`: connections to the old writer go on, and get 1290 for every change.
   * @defaultValue false
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`: there is no reader;
   * `ERR_LOCAL_AURORA_CLOSED`; `ERR_LOCAL_AURORA_DATABASE_FAILED`: the reader did not catch up
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-failover.html
   */
  async failover({ keepConnections = false }: { readonly keepConnections?: boolean } = {}): Promise<void> {
    this.#assertOpen()
    await keepAliveDuring(this.#cluster.failover(keepConnections))
  }

  /**
   * Switches over as a blue/green deployment does. For the time of a window, both servers refuse connections and open
   * ones break. Afterwards all endpoint names lead to the second server, which is the writer. The first one has the
   * same names with `-old1`, and certificates for these; it refuses changes and replicates from no server.
   *
   * @param options - `windowMs`: how much longer the window is than the work takes, in milliseconds. @defaultValue 0
   * @throws {@link LocalAuroraError} as {@link LocalAurora.failover} does
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/blue-green-deployments-switching.html
   */
  async switchover({ windowMs = 0 }: { readonly windowMs?: number } = {}): Promise<void> {
    this.#assertOpen()
    await keepAliveDuring(this.#cluster.switchover(windowMs))
  }

  /**
   * Pauses, as Aurora Serverless v2 does at zero capacity: open connections break. The first new connection wakes the
   * cluster. Until it has resumed, TCP connections are accepted and get no greeting, which AWS does not document.
   *
   * @param options - `resumeAfterMs`: from that connection until greetings come, in milliseconds. @defaultValue 15000
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`, `ERR_LOCAL_AURORA_CLOSED`
   * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html
   */
  pause({ resumeAfterMs = 15_000 }: { readonly resumeAfterMs?: number } = {}): void {
    this.#assertOpen()
    this.#cluster.pause(resumeAfterMs)
  }

  /** Ends {@link LocalAurora.pause} at once: the connections that wait are greeted. */
  resume(): void {
    this.#cluster.resume()
  }

  /** The address of the writer. It is {@link LocalAurora.host} until a failover or a switchover. */
  get writer(): ServerAddress {
    return this.#cluster.writer
  }

  /** The address of the reader; undefined without the option `readerHost`, and after a switchover. */
  get reader(): ServerAddress | undefined {
    return this.#cluster.reader
  }

  /**
   * Returns the address that an endpoint name leads to now, as DNS would: the reader's for a name with `.cluster-ro-`,
   * the old server's for a name with `-old1` after a switchover, else the writer's. Undefined for a name that is not
   * one of {@link LocalAurora.hostnames}.
   */
  addressOf(hostname: string): ServerAddress | undefined {
    return this.#cluster.addressOf(hostname)
  }

  /**
   * Starts endpoints that behave as EC2 instance metadata and as the container credentials endpoint. They return
   * {@link LocalAurora.credentials}, so that the provider chain of an AWS SDK can be tried. A second call returns the
   * same endpoints. {@link LocalAurora.close} ends them.
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
    this.#closing ??= keepAliveDuring(this.#close())
    return this.#closing
  }

  #assertOpen(): void {
    if (this.#ended.signal.aborted) throw this.#ended.signal.reason
  }

  /** Refuses all clients, because the private database has ended. */
  #endWith(error: LocalAuroraError): void {
    if (this.#ended.signal.aborted) return
    const { log, instances } = this.#parts
    this.#ended.abort(error)
    log.record({ type: 'database-ended', connection: 0, detail: error.message })
    for (const { listener } of instances) void listener.close()
  }

  async #close(): Promise<void> {
    this.#ended.abort(new LocalAuroraError('ERR_LOCAL_AURORA_CLOSED', 'this Local Aurora was closed'))
    this.#cluster.stopResuming()
    const { instances } = this.#parts
    await Promise.all(instances.map(({ listener }) => listener.close()))
    await this.#endpoints?.then((endpoints) => endpoints.close())
    await Promise.all(instances.map(({ backend }) => backend.close()))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
