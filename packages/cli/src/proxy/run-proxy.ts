import { unwatchFile, watchFile } from 'node:fs'
import { readRateLimit } from '../gateway/rate-limit.ts'
import type { GatewayFlags } from '../options/gateway-flags.ts'
import { MOST_PER_SECOND, readNumber } from '../options/numbers.ts'
import { readAddress } from '../options/target.ts'
import { refuseUnused } from '../options/unused-flags.ts'
import { UsageError } from '../options/usage-error.ts'
import type { CliOutput } from '../output/output.ts'
import { CleanUp } from '../util/clean-up.ts'
import { untilAborted } from '../util/until-aborted.ts'
import { configNames, type EndpointConfig, readConfigFile } from './config.ts'
import { type Endpoint, isLoopback, readEndpoint } from './endpoint.ts'
import { EndpointSet } from './endpoint-set.ts'
import { startHealthServer } from './health-server.ts'
import { ProxyMetrics } from './metrics.ts'
import { ProxyLog } from './proxy-log.ts'

/** Options of {@link runProxy}, as commander returns them. */
export interface ProxyFlags extends GatewayFlags {
  readonly listen?: string
  readonly socket?: string
  readonly passwordFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly config?: string
  readonly drainMs?: string
  readonly health?: string
  readonly json?: boolean
}

/** Interval of the checks for changed files, in milliseconds. A file that a mount replaces sends no event. */
const WATCH_INTERVAL_MS = 2_000

const DEFAULT_DRAIN_MS = 10_000

/**
 * Runs a proxy until `signal` aborts, and drains it.
 *
 * @throws UsageError, AuroraIamError or CommandError for options, trust roots or an address that cannot be used
 */
export async function runProxy(flags: ProxyFlags, output: CliOutput, signal: AbortSignal): Promise<void> {
  const drainMs = readNumber(flags.drainMs, '--drain-ms', { least: 0 }) ?? DEFAULT_DRAIN_MS
  const healthAddress = flags.health === undefined ? undefined : readAddress(flags.health, '--health')
  if (healthAddress !== undefined && !isLoopback(healthAddress.host))
    throw new UsageError('--health: expected an address on loopback, such as 127.0.0.1:9307.')
  const log = new ProxyLog(output, flags.json ?? false)
  let endpoints = readEndpoints(flags)
  await using cleanUp = new CleanUp()
  const store = await readRateLimit(flags)
  cleanUp.defer(store.close)
  const { rateLimit: shared } = store
  const metrics = new ProxyMetrics(() => proxy.running)
  const proxy = new EndpointSet({
    drainMs,
    rateLimitOf: ({ config: { limit } }) =>
      typeof shared === 'object' && limit !== undefined ? { ...shared, limit } : (limit ?? shared),
    onEvent(name, event) {
      metrics.record(name, event)
      log.event(name, event)
    },
    onStart: (running) => log.started(running),
  })
  cleanUp.defer(() => proxy.close(0))
  await proxy.apply(endpoints)
  if (healthAddress !== undefined) {
    const health = await startHealthServer({
      address: healthAddress,
      metrics,
      running: () => proxy.running,
      isDraining: () => signal.aborted,
    })
    cleanUp.defer(() => health.close())
    log.message(`health on http://${health.address.host}:${health.address.port}: /live, /ready, /metrics`)
  }

  let reloads = Promise.resolve()
  const reload = (): void => {
    reloads = reloads.then(async () => {
      try {
        // The config is checked as a whole first, so that one with a mistake changes nothing.
        const next = keepPasswords(readEndpoints(flags), endpoints)
        watch.replace(filesOf(next, flags.config))
        endpoints = next
        await proxy.apply(next)
        log.message('config reloaded')
      } catch (error) {
        log.problem(`reload failed: ${(error as Error).message}`)
      }
    })
  }
  const watch = new FileWatch(reload)
  watch.replace(filesOf(endpoints, flags.config))
  cleanUp.defer(() => watch.replace([]))
  process.on('SIGHUP', reload)
  cleanUp.defer(() => process.off('SIGHUP', reload))

  await untilAborted(signal)
  await reloads
  // A second signal ends the drain.
  const breakAll = (): void => void proxy.close(0)
  for (const second of ['SIGINT', 'SIGTERM'] as const) {
    process.once(second, breakAll)
    cleanUp.defer(() => process.off(second, breakAll))
  }
  log.message(`draining for at most ${drainMs} ms`)
  await proxy.close(drainMs)
}

function readEndpoints(flags: ProxyFlags): readonly Endpoint[] {
  if (flags.config === undefined) return [readEndpoint(endpointOf(flags))]
  const {
    config: path,
    redis: _redis,
    limit: _limit,
    drainMs: _drain,
    health: _health,
    json: _json,
    ...own
  } = flags
  refuseUnused(
    own,
    Object.keys(own) as Array<keyof typeof own>,
    'it has no effect beside --config, as each endpoint has its own options in the file. Give it there.',
  )
  const endpoints = readConfigFile(path).map((config, index) =>
    readEndpoint(config, configNames(path, index)),
  )
  const names = endpoints.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new UsageError(`--config: two endpoints are called ${twice}. Give each its own name.`)
  return endpoints
}

/** Returns the options of the command line as an endpoint. */
function endpointOf(flags: ProxyFlags): EndpointConfig {
  const { redis: _redis, config: _config, drainMs: _drainMs, health: _health, json: _json, ...rest } = flags
  const { limit, maxWaitMs, maxConnections, port, ...texts } = rest
  const numbers = {
    limit: readNumber(limit, '--limit', { most: MOST_PER_SECOND }),
    maxWaitMs: readNumber(maxWaitMs, '--max-wait-ms'),
    maxConnections: readNumber(maxConnections, '--max-connections'),
    port,
  }
  const given = Object.entries({ ...texts, ...numbers }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as unknown as EndpointConfig
}

/** Returns the endpoints of `next`. Those that did not change keep their one-time password. */
function keepPasswords(next: readonly Endpoint[], before: readonly Endpoint[]): readonly Endpoint[] {
  return next.map((endpoint) => before.find(({ digest }) => digest === endpoint.digest) ?? endpoint)
}

function filesOf(endpoints: readonly Endpoint[], config: string | undefined): string[] {
  return [...new Set([...(config === undefined ? [] : [config]), ...endpoints.flatMap(({ files }) => files)])]
}

/** Watch of files whose change reloads the config. */
class FileWatch {
  #files: readonly string[] = []
  readonly #onChange: () => void

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** Watches `files`, and no others. */
  replace(files: readonly string[]): void {
    for (const file of this.#files) unwatchFile(file, this.#onChange)
    this.#files = files
    for (const file of files)
      watchFile(file, { interval: WATCH_INTERVAL_MS, persistent: false }, this.#onChange)
  }
}
