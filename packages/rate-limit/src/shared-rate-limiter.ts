import type { RateLimiterOptions } from './limiter-options.ts'
import { completeOptions, invalidOption } from './options.ts'
import { createCore, type LimiterCore, LimiterHandle, type RateLimiter } from './rate-limiter.ts'

interface SharedCore {
  readonly core: LimiterCore
  openHandles: number
}

/**
 * Process-wide, so that two installed copies of this package share. The number changes with the shape of what is kept.
 */
const registryKey = Symbol.for('@aurora-iam/rate-limit/shared/3')

/**
 * Returns the limiter of a key, such as a cluster's endpoint, for all callers in this process.
 *
 * Each call returns a separate limiter on the common permits and the common queue. `close()` ends only the requests
 * made through it; `stats()` and `lower()` concern the whole key. When callers ask for different limits the smallest
 * holds, which is reported on the channel `aurora-iam:rate-limit:lowered`. `maxWaitMs` is each caller's own; all other
 * options are those of the first caller. When every limiter of a key is closed and an interval has passed, the key
 * starts again with the next caller's options.
 *
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`, also when the key is in use with another `intervalMs`
 * or `dryRun`, or with a store and this call has none.
 */
export function sharedRateLimiter(key: string, options: RateLimiterOptions): RateLimiter {
  if (typeof key !== 'string' || key === '') throw invalidOption('key', key, 'a text that is not empty')
  const complete = completeOptions(options)
  const registry = sharedCores()

  let shared = registry.get(key)
  if (shared === undefined || isForgotten(shared)) {
    shared = { core: createCore(complete, key), openHandles: 0 }
    registry.set(key, shared)
  }
  const { core } = shared
  for (const name of ['intervalMs', 'dryRun'] as const) {
    if (complete[name] === core.options[name]) continue
    throw invalidOption(
      name,
      complete[name],
      `${core.options[name]}, as for others who share the key "${key}"`,
      { showNumber: true },
    )
  }
  if ((complete.store === undefined) !== (core.options.store === undefined)) {
    throw invalidOption('store', complete.store, `given by all or none of those who share the key "${key}"`)
  }
  core.source.lower(complete.limit)

  const entry = shared
  entry.openHandles += 1
  return new LimiterHandle(core, complete.maxWaitMs, () => {
    entry.openHandles -= 1
    if (entry.openHandles === 0) core.source.rest()
  })
}

/** Returns whether it is unused, and no attempt is recent enough to count any more. */
function isForgotten({ core, openHandles }: SharedCore): boolean {
  return openHandles === 0 && core.source.isIdle(core.options.clock.now())
}

function sharedCores(): Map<string, SharedCore> {
  const holder = globalThis as { [registryKey]?: Map<string, SharedCore> }
  holder[registryKey] ??= new Map()
  return holder[registryKey]
}
