import { type Channel, channel } from 'node:diagnostics_channel'
import type { OnStoreLost } from './store.ts'

/**
 * The messages of this package on `node:diagnostics_channel`, by channel name. `key` is the key of a shared limiter. Nothing
 * is built or sent while nobody subscribes.
 */
export interface RateLimitEvents {
  /** A request could not be granted at once and waits; `waiting` counts it too. */
  'aurora-iam:rate-limit:waiting': { key: string | undefined; waiting: number }
  /** A permit was handed out, after `waitedMs` milliseconds. */
  'aurora-iam:rate-limit:granted': { key: string | undefined; waitedMs: number; waiting: number }
  /** An attempt was reported as throttled; `effectiveLimit` is the limit in force after that. */
  'aurora-iam:rate-limit:throttled': { key: string | undefined; effectiveLimit: number }
  /** The limit was lowered: by `lower()`, or because somebody who shares it, here or through the store, asked for less. */
  'aurora-iam:rate-limit:lowered': { key: string | undefined; from: number; to: number }
  /** The store cannot be reached or answers nonsense; `limit` is this process's own from now on, 0 for nothing. */
  'aurora-iam:rate-limit:store-lost': {
    key: string | undefined
    error: Error
    onStoreLost: OnStoreLost
    limit: number
  }
  /** The store answers again, after `lostForMs` milliseconds. */
  'aurora-iam:rate-limit:store-back': { key: string | undefined; lostForMs: number }
}

const channels: Readonly<Record<keyof RateLimitEvents, Channel>> = {
  'aurora-iam:rate-limit:waiting': channel('aurora-iam:rate-limit:waiting'),
  'aurora-iam:rate-limit:granted': channel('aurora-iam:rate-limit:granted'),
  'aurora-iam:rate-limit:throttled': channel('aurora-iam:rate-limit:throttled'),
  'aurora-iam:rate-limit:lowered': channel('aurora-iam:rate-limit:lowered'),
  'aurora-iam:rate-limit:store-lost': channel('aurora-iam:rate-limit:store-lost'),
  'aurora-iam:rate-limit:store-back': channel('aurora-iam:rate-limit:store-back'),
}

/** Publishes what `message` returns, if somebody listens. */
export function publish<Name extends keyof RateLimitEvents>(
  name: Name,
  message: () => RateLimitEvents[Name],
): void {
  if (channels[name].hasSubscribers) channels[name].publish(message())
}
