import { createRateLimiter, type RateLimiter } from '@aurora-iam/rate-limit'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { type AdapterIam, adapterIam } from '../src/adapter.ts'
import type { AuroraIamOptions } from '../src/index.ts'

export const START = Date.parse('2026-11-23T12:00:00Z')
export const MINUTE = 60_000
export const TARGET = {
  hostname: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  port: 3306,
  username: 'app',
} as const

/** A clock that a test moves by hand. */
export class Clock {
  now = START
  readonly read = (): number => this.now
}

/** Creates an AdapterIam on `clock`, without a rate limit. */
export function iamOn(clock: Clock, options: AuroraIamOptions = {}): AdapterIam {
  const source = options.tokenProvider ? {} : { credentials: STATIC }
  return adapterIam({ clock: clock.read, rateLimit: false, ...source, ...options })
}

/** Returns a limiter of a caller, which has the members that every limiter has and no others. */
export function callersLimiter(acquire: RateLimiter['acquire']): RateLimiter {
  const limiter = createRateLimiter({ limit: 20 })
  return {
    limit: 20,
    intervalMs: 1000,
    lower: () => {},
    stats: () => limiter.stats(),
    flush: async () => {},
    close: () => {},
    acquire,
  }
}

/** Lets everything that is ready run, as a renewal in the background is. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

/** Returns the warnings of Node while `work` runs. */
export async function warningsOf(work: () => Promise<unknown>): Promise<Error[]> {
  const warnings: Error[] = []
  const listen = (warning: Error) => warnings.push(warning)
  process.on('warning', listen)
  await work()
  await settle()
  process.off('warning', listen)
  return warnings
}

/** A promise that is settled from outside. */
export class Deferred<T> {
  readonly promise: Promise<T>
  resolve!: (value: T) => void
  reject!: (reason: unknown) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}
