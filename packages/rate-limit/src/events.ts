import { type Channel, channel } from 'node:diagnostics_channel'
import type { PermitLane, PermitOutcome } from './permit.ts'
import type { OnStoreLost } from './store.ts'

/** Key of a shared limiter, such as a cluster's endpoint; undefined for a limiter without one. */
interface KeyedEvent {
  readonly key: string | undefined
}

/**
 * One step in the life of a permit. Each permit has one `'granted'` and later one of the others, with the same `id`. A
 * permit that was granted and has no second event is in flight, or lost by its holder until it expires.
 */
export type PermitEvent = KeyedEvent & { readonly id: string } & (
    | {
        readonly type: 'granted'
        readonly lane: PermitLane
        /** Milliseconds that the request waited. */
        readonly waitedMs: number
        /** Number of requests that still wait. */
        readonly waiting: number
      }
    | {
        readonly type: 'released'
        readonly outcome: PermitOutcome
        /** From the grant to the release. */
        readonly heldMs: number
      }
    | {
        /** Cancelled: returned unused. Expired: neither released nor cancelled within `permitTtlMs`. */
        readonly type: 'cancelled' | 'expired'
        readonly heldMs: number
      }
  )

/**
 * Messages of this package on `node:diagnostics_channel`, by channel name. Durations are milliseconds. No message is
 * built or sent while nothing subscribes.
 */
export interface RateLimitEvents {
  /** A permit was granted, released, cancelled, or has expired. */
  'aurora-iam:rate-limit:permit': PermitEvent
  /** A request could not be granted at once and waits; `waiting` includes it. */
  'aurora-iam:rate-limit:waiting': KeyedEvent & { readonly lane: PermitLane; readonly waiting: number }
  /** An attempt was released as throttled; `effectiveLimit` is the limit in force after that. */
  'aurora-iam:rate-limit:throttled': KeyedEvent & { readonly effectiveLimit: number }
  /**
   * The limit was lowered: by `lower()`, or because another user of the key, here or in the store, has a smaller one.
   */
  'aurora-iam:rate-limit:lowered': KeyedEvent & { readonly from: number; readonly to: number }
  /** The store is unreachable or its reply is invalid. `limit` is the limit of this process from now on, 0 for none. */
  'aurora-iam:rate-limit:store-lost': KeyedEvent & {
    readonly error: Error
    readonly onStoreLost: OnStoreLost
    readonly limit: number
  }
  /** The store replies again, after `lostForMs`. */
  'aurora-iam:rate-limit:store-back': KeyedEvent & { readonly lostForMs: number }
}

const channels: Readonly<Record<keyof RateLimitEvents, Channel>> = {
  'aurora-iam:rate-limit:permit': channel('aurora-iam:rate-limit:permit'),
  'aurora-iam:rate-limit:waiting': channel('aurora-iam:rate-limit:waiting'),
  'aurora-iam:rate-limit:throttled': channel('aurora-iam:rate-limit:throttled'),
  'aurora-iam:rate-limit:lowered': channel('aurora-iam:rate-limit:lowered'),
  'aurora-iam:rate-limit:store-lost': channel('aurora-iam:rate-limit:store-lost'),
  'aurora-iam:rate-limit:store-back': channel('aurora-iam:rate-limit:store-back'),
}

/** Publishes the message that `message` returns, when the channel has a subscriber. */
export function publish<Name extends keyof RateLimitEvents>(
  name: Name,
  message: () => RateLimitEvents[Name],
): void {
  if (channels[name].hasSubscribers) channels[name].publish(message())
}
