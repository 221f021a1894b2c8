import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import type { LocalAurora } from '@aurora-iam/local'

/** Where a client is to go, in neutral words; each harness turns them into its driver's own. */
export interface ClientOptions {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly connectionLimit: number
  /** From the opening of the socket to the end of the login. */
  readonly connectTimeout?: number
}

/** One connection taken out of the pool. */
export interface HeldConnection {
  query(sql: string): Promise<ReadonlyArray<Record<string, unknown>>>
  release(): void | Promise<void>
  /** Where nothing but a transaction can be taken out of a pool: its end, after which it is still to be released. */
  readonly transaction?: { commit(): Promise<void>; rollback(): Promise<void> }
}

/** A pool of the driver or ORM under test. */
export interface Client {
  /** The driver's own object, for inspection. */
  readonly raw: unknown
  query(sql: string): Promise<ReadonlyArray<Record<string, unknown>>>
  hold(): Promise<HeldConnection>
  close(): Promise<void>
}

/** Abilities in which adapters differ. A capability is a documented fact, never a way around a failure. */
export interface Capabilities {
  /** Opens a connection when the client is made, instead of when it is first used. */
  readonly connectsWhenOpened: boolean
  /** Hands on the very error that a connection failed with, instead of a copy of its code and message. */
  readonly keepsErrors: boolean
  /** Repeats a login automatically whose cached token was rejected. */
  readonly retriesLogins?: boolean
  /** Has a driver that throws an uncaught exception when the server closes the connection during the TLS handshake. */
  readonly throwsAtTlsCut?: boolean
}

/** Description of an adapter for the suite. */
export interface AdapterHarness {
  readonly name: string
  readonly capabilities: Capabilities
  /** Error of a failed login, where it is not mysql2's own. */
  readonly errors?: {
    /** The server said 1045. */
    readonly refused: object
    /** The server did not answer for longer than `connectTimeout`. */
    readonly silent: object
  }
  /** Returns the driver's own options for `options`, on IAM. Opens nothing, and reads nothing but these two. */
  options(options: ClientOptions, iam: AuroraIam | AuroraIamOptions): unknown
  /** Opens a client of the driver with the result of {@link AdapterHarness.options}. */
  open(options: unknown): Client | Promise<Client>
  /**
   * Opens a client that repeats a login once when the database rejects a cached token, for an `iam` with
   * `retryRejectedLogins`. Undefined where {@link AdapterHarness.open} does it.
   */
  readonly openRetrying?: (options: unknown, iam: AuroraIam) => Client | Promise<Client>
  /**
   * Opens a client whose pool replaces its connections, and repeats a login as {@link AdapterHarness.openRetrying}
   * does. Undefined where {@link AdapterHarness.open} does it.
   */
  readonly openManaged?: (options: unknown, iam: AuroraIam) => Client | Promise<Client>
  /**
   * Asks for a new connection and times out while it waits in the queue. Resolves when the driver has let go.
   * Undefined where the driver has no such limit.
   */
  readonly giveUpWaiting?: (options: unknown) => Promise<void>
  /** A program that opens a client, runs one query, closes, and must then exit. */
  readonly exitProgram: URL
}

/** Argument of each group of the suite. */
export interface Suite {
  readonly harness: AdapterHarness
  /** Connections of the largest pool. */
  readonly atOnce: number
  /** The one Local Aurora of this run; its log and faults are cleared before each test. */
  readonly aurora: () => LocalAurora
  /** A client on IAM, closed after the test. */
  readonly connect: (options?: Partial<ClientOptions>, iam?: AuroraIam | AuroraIamOptions) => Promise<Client>
  /** Options that lead to Local Aurora. */
  readonly address: (options?: Partial<ClientOptions>) => ClientOptions
}
