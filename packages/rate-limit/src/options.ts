import { systemClock } from './clock.ts'
import { describe } from './describe.ts'
import { RateLimitError } from './errors.ts'
import type { CompleteOptions, RateLimiterOptions, RateLimitStore } from './limiter-options.ts'
import type { OnStoreLost } from './store.ts'

type NumericOption =
  | 'limit'
  | 'intervalMs'
  | 'maxWaitMs'
  | 'maxQueue'
  | 'permitTtlMs'
  | 'recoveryIntervalMs'
  | 'maxInFlight'

/** With a store, each step of the protocol looks at every place. */
const largestSharedLimit = 10_000

const defaults: Omit<CompleteOptions, 'limit' | 'maxInFlight' | 'store' | 'share'> = {
  intervalMs: 1000,
  maxWaitMs: 30_000,
  maxQueue: 10_000,
  permitTtlMs: 60_000,
  recoveryIntervalMs: 1000,
  dryRun: false,
  onStoreLost: 'share',
  clock: systemClock,
}

const optionNames: readonly string[] = ['limit', ...Object.keys(defaults), 'maxInFlight', 'store', 'share']

const waysToLose: readonly unknown[] = ['share', 'fail-closed', 'fail-open'] satisfies OnStoreLost[]

const expectations: Readonly<Record<NumericOption, { kind: string; allows: (value: unknown) => boolean }>> = {
  limit: { kind: 'a whole number from 1, such as 20', allows: isPositiveInteger },
  intervalMs: { kind: 'a finite number of milliseconds above 0, such as 1000', allows: isPositive },
  maxWaitMs: { kind: 'a finite number of milliseconds from 0, such as 30000', allows: isNotNegative },
  maxQueue: {
    kind: 'a whole number from 0, such as 10000',
    allows: isWhole,
  },
  permitTtlMs: { kind: 'a finite number of milliseconds above 0, such as 60000', allows: isPositive },
  recoveryIntervalMs: { kind: 'a finite number of milliseconds above 0, such as 1000', allows: isPositive },
  maxInFlight: { kind: 'a whole number from 1, such as 8', allows: isPositiveInteger },
}

/**
 * Checks the options of a limiter and fills in the defaults.
 *
 * @param name - what to call the options object in messages; empty for the options themselves.
 * @throws {@link RateLimitError} `ERR_RATE_LIMIT_INVALID_OPTION`.
 */
export function completeOptions(given: RateLimiterOptions, name = ''): CompleteOptions {
  const prefix = name === '' ? '' : `${name}.`
  if (typeof given !== 'object' || given === null) {
    throw invalidOption(name || 'options', given, 'an object with a `limit`, such as { limit: 20 }')
  }
  const options = ownProperties(given)
  refuseUnknownOptions(options, optionNames, prefix)
  for (const option of Object.keys(expectations) as NumericOption[]) {
    const value = options[option]
    if (value === undefined && option !== 'limit') continue
    checkNumber(option, value, prefix)
  }
  checkSharing(options, prefix)
  const { dryRun, clock } = options
  if (dryRun !== undefined && typeof dryRun !== 'boolean') {
    throw invalidOption(`${prefix}dryRun`, dryRun, 'true or false')
  }
  if (clock !== undefined && (typeof clock?.now !== 'function' || typeof clock.setTimer !== 'function')) {
    throw invalidOption(`${prefix}clock`, clock, 'an object with the functions now() and setTimer()')
  }
  return {
    limit: options.limit,
    intervalMs: options.intervalMs ?? defaults.intervalMs,
    maxWaitMs: options.maxWaitMs ?? defaultMaxWaitMs(options),
    maxQueue: options.maxQueue ?? defaults.maxQueue,
    permitTtlMs: options.permitTtlMs ?? defaults.permitTtlMs,
    recoveryIntervalMs: options.recoveryIntervalMs ?? defaults.recoveryIntervalMs,
    maxInFlight: options.maxInFlight ?? options.limit,
    dryRun: dryRun ?? defaults.dryRun,
    store: options.store,
    onStoreLost: options.onStoreLost ?? defaults.onStoreLost,
    share: options.share,
    clock: clock ?? defaults.clock,
  }
}

/**
 * Returns the default wait. A key that is new grants nothing for an interval: the first request waits longer than that.
 */
function defaultMaxWaitMs({ intervalMs = defaults.intervalMs, store }: RateLimiterOptions): number {
  return store === undefined ? defaults.maxWaitMs : Math.max(defaults.maxWaitMs, 2 * intervalMs + 5000)
}

function checkSharing({ limit, store, onStoreLost, share }: RateLimiterOptions, prefix: string): void {
  if (store !== undefined && typeof (store as RateLimitStore | null)?.createPermits !== 'function') {
    const makers = 'redisStore(client), dynamoStore(client, …), fleetStore(engine) or ticketStore(counter)'
    throw invalidOption(`${prefix}store`, store, `what ${makers} returns`)
  }
  if (store !== undefined && limit > largestSharedLimit) {
    throw invalidOption(`${prefix}limit`, limit, `at most ${largestSharedLimit} with a store`, {
      showNumber: true,
    })
  }
  if (onStoreLost !== undefined && (store === undefined || !waysToLose.includes(onStoreLost))) {
    throw invalidOption(
      `${prefix}onStoreLost`,
      onStoreLost,
      "'share', 'fail-closed' or 'fail-open', beside a `store`",
    )
  }
  if (share === undefined) return
  if (!isPositiveInteger((share as typeof share | null)?.processes)) {
    throw invalidOption(`${prefix}share`, share, 'the number of processes, such as { processes: 4 }')
  }
  refuseUnknownOptions(share, ['processes'], `${prefix}share.`)
}

/** Throws unless `value` is what the numeric option `like` may be; `name` is what the message calls it. */
export function checkNumber(like: NumericOption, value: unknown, prefix = '', name: string = like): void {
  const { kind, allows } = expectations[like]
  if (!allows(value)) throw invalidOption(`${prefix}${name}`, value, kind, { showNumber: true })
}

/** Returns a copy of `options` without a prototype: what another package left on `Object.prototype` is no option. */
export function ownProperties<T extends object>(options: T): T {
  return Object.assign(Object.create(null), options)
}

/** Throws for the first own key of `options` that is not in `known`. */
export function refuseUnknownOptions(options: object, known: readonly string[], prefix = ''): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key))
  if (unknown === undefined) return
  // Anything else is no name, but a text that was spread into options.
  const name = /^[\w$.-]{1,40}$/.test(unknown) ? `${prefix}${unknown}` : prefix.slice(0, -1) || 'options'
  throw new RateLimitError(
    'ERR_RATE_LIMIT_INVALID_OPTION',
    `Unknown option \`${name}\`. Remove it, or use one of: ${known.join(', ')}.`,
    { option: name },
  )
}

/** Returns the error for an option of the wrong kind. */
export function invalidOption(
  name: string,
  value: unknown,
  expected: string,
  shown?: { showNumber?: boolean },
): RateLimitError {
  return new RateLimitError(
    'ERR_RATE_LIMIT_INVALID_OPTION',
    `Expected \`${name}\` to be ${expected}, but it is ${describe(value, shown)}.`,
    { option: name },
  )
}

// `Number.isFinite` and `Number.isSafeInteger` are false for what is no number.

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isPositiveInteger(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1
}

function isPositive(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) > 0
}

/** Returns true for a finite number from 0. */
export function isNotNegative(value: unknown): boolean {
  return Number.isFinite(value) && (value as number) >= 0
}
