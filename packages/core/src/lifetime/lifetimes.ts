import type { RateLimiterStats } from '@aurora-iam/rate-limit'
import { publish } from '../diagnostics.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import type { EndpointKind } from '../endpoint/rds-hostname.ts'
import { endpointKey } from '../endpoint/target-key.ts'
import { MAX_LIFETIME_MS, WATCH_ENDPOINT_MS } from '../timings.ts'
import { AddressWatch } from './address-watch.ts'
import { DemotedAddresses } from './demoted-addresses.ts'
import { type PoolDriver, PoolLifetime, type PoolLifetimeStats } from './pool-lifetime.ts'
import { RetirePace } from './retire-pace.ts'

/** The options of the same names, described at `AuroraIamOptions`. */
export interface LifetimeSettings {
  readonly maxLifetimeMs?: number | false | undefined
  readonly watchEndpointMs?: number | false | undefined
  readonly retireDemoted?: boolean | undefined
}

/** {@link PoolLifetimeStats} with the endpoint that the pool leads to. */
export interface PoolStats extends PoolLifetimeStats {
  readonly hostname: string
  readonly port: number
  readonly username: string
  /**
   * New connections that wait for a token, a permit, or a server that resumes. Pools with the same options share it.
   */
  readonly waiting: number
}

// The name of each of these leads to one server, and to another one after a failover or a switchover. The answers for
// reader and custom endpoints rotate.
const LEADS_TO_ONE: ReadonlySet<EndpointKind> = new Set<EndpointKind>([
  'cluster',
  'instance',
  'global-writer',
])

const PROMISES_A_WRITER: ReadonlySet<EndpointKind> = new Set<EndpointKind>(['cluster', 'global-writer'])

type Pool = Pick<PoolLifetime<object>, 'stats' | 'dispose'>

/** The {@link PoolLifetime} of each pool of one AuroraIam, and what they share. */
export class Lifetimes {
  readonly #settings: LifetimeSettings
  readonly #limiter: (endpoint: string) => RateLimiterStats | undefined
  readonly #demoted = new DemotedAddresses()
  readonly #paces = new Map<string, RetirePace>()
  readonly #watches = new Map<string, AddressWatch>()
  // Those that have open connections.
  readonly #pools = new Map<Pool, ConnectionTarget>()
  readonly #poolOf = new WeakMap<ConnectionTarget, Pool>()
  readonly #waiting = new Map<ConnectionTarget, number>()

  /** @param limiter - the state of the rate limit of an endpoint, by `hostname:port` */
  constructor(settings: LifetimeSettings, limiter: (endpoint: string) => RateLimiterStats | undefined) {
    this.#settings = settings
    this.#limiter = limiter
  }

  /** Returns the lifetime of the connections of a new pool to `target`. */
  forPool<Connection extends object>(
    target: ConnectionTarget,
    driver: PoolDriver<Connection>,
  ): PoolLifetime<Connection> {
    const { maxLifetimeMs = MAX_LIFETIME_MS, retireDemoted = true } = this.#settings
    const watch = this.#watchFor(target)
    const { fixedAddress } = target
    const pool: PoolLifetime<Connection> = new PoolLifetime({
      driver,
      maxLifetimeMs,
      retiresReadOnly: retireDemoted && PROMISES_A_WRITER.has(target.kind),
      pace: this.#paceFor(target),
      onDemoted: (address) => fixedAddress && this.#demoted.add(fixedAddress.host, address),
      onFirst: () => {
        this.#pools.set(pool, target)
        return watch?.listen((addresses) => pool.moved(addresses))
      },
      onLast: () => this.#pools.delete(pool),
      onRetired: (reason) => {
        const { hostname, port, username } = target
        publish('retire', () => ({ hostname, port, username, reason }))
      },
    })
    this.#poolOf.set(target, pool)
    return pool
  }

  /** Counts a new connection to `target` that waits. Returns a function that counts it no longer. */
  countWaiting(target: ConnectionTarget): () => void {
    this.#waiting.set(target, (this.#waiting.get(target) ?? 0) + 1)
    return () => {
      const left = (this.#waiting.get(target) ?? 1) - 1
      if (left > 0) this.#waiting.set(target, left)
      else this.#waiting.delete(target)
    }
  }

  /**
   * Waits while a login to `target` would reach a writer that was demoted. Returns undefined where nothing is known.
   */
  waitForWriter(target: ConnectionTarget): Promise<void> | undefined {
    const host = this.#demotedHostOf(target)
    return host === undefined ? undefined : this.#demoted.wait(host)
  }

  /** Returns true when {@link waitForWriter} would wait. */
  mayWaitForWriter(target: ConnectionTarget): boolean {
    return this.#demotedHostOf(target) !== undefined
  }

  /** Returns the counts of each pool that has open connections, or connections that wait. */
  stats(): PoolStats[] {
    const pools = new Map(this.#pools)
    for (const target of this.#waiting.keys()) {
      const pool = this.#poolOf.get(target)
      if (pool) pools.set(pool, target)
    }
    return [...pools].map(([pool, target]) => {
      const { hostname, port, username } = target
      return { hostname, port, username, waiting: this.#waiting.get(target) ?? 0, ...pool.stats() }
    })
  }

  /** Ends every timer. Open connections stay open. */
  close(): void {
    for (const pool of this.#pools.keys()) pool.dispose()
  }

  #demotedHostOf({ kind, fixedAddress }: ConnectionTarget): string | undefined {
    if (!fixedAddress || !PROMISES_A_WRITER.has(kind)) return undefined
    return this.#demoted.concerns(fixedAddress.host) ? fixedAddress.host : undefined
  }

  #paceFor(target: ConnectionTarget): RetirePace {
    const endpoint = endpointKey(target)
    const known = this.#paces.get(endpoint)
    if (known) return known
    const pace = new RetirePace(() => this.#limiter(endpoint))
    this.#paces.set(endpoint, pace)
    return pace
  }

  #watchFor({ kind, fixedAddress }: ConnectionTarget): AddressWatch | undefined {
    const { watchEndpointMs = WATCH_ENDPOINT_MS } = this.#settings
    if (watchEndpointMs === false || !LEADS_TO_ONE.has(kind) || !fixedAddress) return undefined
    const { host } = fixedAddress
    const known = this.#watches.get(host)
    if (known) return known
    const watch = new AddressWatch(host, watchEndpointMs)
    this.#watches.set(host, watch)
    return watch
  }
}
