import { monotonicMs } from '../util/monotonic-ms.ts'
import { isReadOnlyError } from './read-only-error.ts'
import type { RetirePace } from './retire-pace.ts'

/** Why a connection is retired. `moved`: its endpoint leads to another address now. `dead`: its server vanished. */
export type RetireReason = 'lifetime' | 'moved' | 'read-only' | 'dead'

/** Counts of one pool since it was created. */
export interface PoolLifetimeStats {
  /** Open connections, idle or in use. */
  readonly open: number
  /** Open connections that are retired and still in use. They close when they return to the pool. */
  readonly retiring: number
  /** Count of replacements of connections as a group: their server was demoted, or their endpoint moved. */
  readonly generation: number
  /** Connections retired so far, by reason. */
  readonly retired: Readonly<Record<RetireReason, number>>
  /** Connections opened so far in place of retired ones. */
  readonly replaced: number
}

/** Actions of a pool on its connections on behalf of {@link PoolLifetime}. */
export interface PoolDriver<Connection> {
  /** Returns the IP address of the server's end; undefined when the socket is closed. */
  remoteAddress(connection: Connection): string | undefined
  /** Closes a connection that is idle, and takes it out of the pool. */
  close(connection: Connection): void
}

/** The settings of one {@link PoolLifetime}. */
export interface PoolLifetimeOptions<Connection> {
  readonly driver: PoolDriver<Connection>
  /** Lifetime of a connection in milliseconds; `false` for no limit. */
  readonly maxLifetimeMs: number | false
  /** True if a statement that is refused as read-only retires the connection and those to the same address. */
  readonly retiresReadOnly: boolean
  /** When the next connection may be retired for its lifetime. */
  readonly pace: RetirePace
  /** Reports the address of a server that was demoted. */
  readonly onDemoted?: (address: string) => void
  /** Called when the pool has its first open connection. What it returns is called after the last one is closed. */
  readonly onFirst?: () => (() => void) | undefined
  /** Called when the last connection of the pool is closed. */
  readonly onLast?: () => void
  /** Called for each connection that is retired. */
  readonly onRetired?: (reason: RetireReason) => void
  /** Monotonic milliseconds. @defaultValue monotonicMs */
  readonly clock?: () => number
  /** A number from 0 to 1. @defaultValue Math.random */
  readonly random?: () => number
}

interface Entry {
  readonly expiresAt: number
  isIdle: boolean
  reason: RetireReason | undefined
}

// Connections that were opened together would otherwise be replaced together.
const JITTER = 0.1

/**
 * Lifetime of the connections of one pool. It decides which connections are retired, and closes them while they are
 * idle. A connection in use is closed when it returns. The pool opens the replacement when it needs one, so each
 * replacement passes the rate limit.
 */
export class PoolLifetime<Connection extends object> {
  readonly #options: PoolLifetimeOptions<Connection>
  readonly #clock: () => number
  // In the order of opening: the oldest connection is retired first.
  readonly #entries = new Map<Connection, Entry>()
  readonly #retired: Record<RetireReason, number> = { lifetime: 0, moved: 0, 'read-only': 0, dead: 0 }
  #generation = 0
  #replaced = 0
  /** Connections that were retired and not replaced yet. */
  #missing = 0
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Infinity
  #stop: (() => void) | undefined

  constructor(options: PoolLifetimeOptions<Connection>) {
    this.#options = options
    this.#clock = options.clock ?? monotonicMs
  }

  /** Adds a connection that has logged in. It is in use until {@link released}. */
  opened(connection: Connection): void {
    const { maxLifetimeMs, random = Math.random } = this.#options
    if (this.#entries.size === 0) this.#stop = this.#options.onFirst?.()
    const lifetime = maxLifetimeMs === false ? Infinity : maxLifetimeMs * (1 - JITTER * random())
    this.#entries.set(connection, { expiresAt: this.#clock() + lifetime, isIdle: false, reason: undefined })
    if (this.#missing === 0) return
    this.#missing--
    this.#replaced++
  }

  /** Marks a connection as in use. */
  acquired(connection: Connection): void {
    const entry = this.#entries.get(connection)
    if (entry) entry.isIdle = false
  }

  /** Marks a connection as idle, and closes it if it is retired. */
  released(connection: Connection): void {
    const entry = this.#entries.get(connection)
    if (!entry) return
    entry.isIdle = true
    if (entry.reason) this.#close(connection)
    else if (entry.expiresAt < this.#wakesAt) this.#schedule(entry.expiresAt)
  }

  /** Forgets a connection that is closed, for whatever reason. */
  closed(connection: Connection): void {
    if (this.#entries.delete(connection) && this.#entries.size === 0) this.#end()
  }

  /** Reports an error of the connection itself. `ETIMEDOUT` is the kernel's word for a server that vanished. */
  broke(connection: Connection, error: Error | undefined): void {
    const entry = this.#entries.get(connection)
    const { code } = (error ?? {}) as { code?: unknown }
    if (!entry || entry.reason || code !== 'ETIMEDOUT') return
    // The driver closes it.
    entry.isIdle = false
    this.#retire(connection, entry, 'dead')
  }

  /**
   * Returns true for a connection that the pool must close instead of handing it out: it is retired, or its lifetime is
   * over. A connection that goes from one caller to the next is never idle, so the pool asks each time.
   */
  mustClose(connection: Connection): boolean {
    const entry = this.#entries.get(connection)
    if (!entry) return false
    const now = this.#clock()
    if (!entry.reason && entry.expiresAt <= now && this.#options.pace.tryRetire(now)) {
      entry.isIdle = false
      this.#retire(connection, entry, 'lifetime')
    }
    return entry.reason !== undefined
  }

  /**
   * Reports an error of the server in answer to a statement. An error of a server that is read-only retires the
   * connection and every other connection to the same address.
   */
  failed(connection: Connection, error: unknown): void {
    if (!this.#options.retiresReadOnly || !isReadOnlyError(error)) return
    const { driver, onDemoted } = this.#options
    const address = driver.remoteAddress(connection)
    if (address !== undefined) onDemoted?.(address)
    this.#retireAll(
      'read-only',
      (other) => other === connection || (address !== undefined && driver.remoteAddress(other) === address),
    )
  }

  /** Retires every connection to an address that is not among `addresses`, to which the endpoint leads now. */
  moved(addresses: ReadonlySet<string>): void {
    this.#retireAll('moved', (connection) => {
      const address = this.#options.driver.remoteAddress(connection)
      return address !== undefined && !addresses.has(address)
    })
  }

  /** Returns the counts of this pool. */
  stats(): PoolLifetimeStats {
    const retiring = [...this.#entries.values()].filter(({ reason }) => reason !== undefined).length
    return {
      open: this.#entries.size,
      retiring,
      generation: this.#generation,
      retired: { ...this.#retired },
      replaced: this.#replaced,
    }
  }

  /** Ends the watch and the timer. The connections stay open. */
  dispose(): void {
    this.#entries.clear()
    this.#end()
  }

  #end(): void {
    this.#unschedule()
    this.#stop?.()
    this.#stop = undefined
    this.#options.onLast?.()
  }

  #retireAll(reason: RetireReason, isConcerned: (connection: Connection) => boolean): void {
    const concerned = [...this.#entries].filter(
      ([connection, entry]) => !entry.reason && isConcerned(connection),
    )
    if (concerned.length === 0) return
    this.#generation++
    for (const [connection, entry] of concerned) this.#retire(connection, entry, reason)
  }

  #retire(connection: Connection, entry: Entry, reason: RetireReason): void {
    entry.reason = reason
    this.#retired[reason]++
    this.#missing++
    this.#options.onRetired?.(reason)
    if (entry.isIdle) this.#close(connection)
  }

  #close(connection: Connection): void {
    this.closed(connection)
    this.#options.driver.close(connection)
  }

  /** Retires the oldest idle connection whose lifetime is over, if the pace allows it, and waits for the next. */
  #sweep(): void {
    this.#unschedule()
    const now = this.#clock()
    const idle = [...this.#entries].filter(([, { isIdle }]) => isIdle)
    const due = idle.find(([, { expiresAt }]) => expiresAt <= now)
    if (due && this.#options.pace.tryRetire(now)) this.#retire(...due, 'lifetime')
    const next = Math.min(...idle.filter((one) => !one[1].reason).map(([, { expiresAt }]) => expiresAt))
    if (next < Infinity) this.#schedule(next)
  }

  #schedule(expiresAt: number): void {
    this.#unschedule()
    const now = this.#clock()
    this.#wakesAt = Math.max(expiresAt, now + this.#options.pace.delay(now))
    this.#timer = setTimeout(() => this.#sweep(), this.#wakesAt - now)
    this.#timer.unref()
  }

  #unschedule(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#wakesAt = Infinity
  }
}
