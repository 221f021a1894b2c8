/** Reply of the store to one step: every permit that the process holds, and the state of the key. */
export interface StoreReply {
  /** The store's clock, in milliseconds. */
  readonly now: number
  /** True if the request came so late that nothing was granted or renewed. */
  readonly isLate: boolean
  /** When the state began. It begins again when it was lost. */
  readonly born: number
  /** The smallest limit that a process named in the last minute. */
  readonly limit: number
  /** The limit in force: less than `limit` for a while after `'throttled'` outcomes. */
  readonly effectiveLimit: number
  /** The processes seen in the last minute. */
  readonly processes: number
  /** When to ask again, for a process that still waits. */
  readonly retryMs: number
  /** Permits that this process may use per interval while the store is lost. */
  readonly share: number
  /** After how long to call again though nothing is wanted; 0 for never. */
  readonly renewMs: number
  /** The longest lease of the fleet. */
  readonly slowestLeaseMs: number
  /** First identifier of the permits made for attempts that were under way without the store. */
  readonly firstAdopted: number
  /** Turns of this process in the two lanes; 0 outside of the queue. */
  readonly turns: readonly [live: number, background: number]
  /** The processes that wait. */
  readonly waiting: number
  /** The permits that processes hold. */
  readonly inUse: number
  /** Every permit that the process holds, and how long until it may be used. */
  readonly held: ReadonlyArray<{ readonly id: number; readonly waitMs: number }>
}

const headerLength = 15

/**
 * Reads the reply of a store.
 *
 * @throws {@link Error} for anything that is not a reply of the protocol.
 */
export function readStoreReply(reply: unknown): StoreReply {
  // Some clients can be set to return numbers as texts.
  const numbers: number[] = Array.isArray(reply)
    ? reply.map((each) => (typeof each === 'string' && /^\d+$/.test(each) ? Number(each) : each))
    : []
  const isReply =
    numbers.length >= headerLength &&
    (numbers.length - headerLength) % 2 === 0 &&
    numbers.every((each) => Number.isSafeInteger(each) && each >= 0) &&
    Math.min(...numbers.slice(3, 6)) >= 1
  if (!isReply) throw new Error('Its reply is not one of the fleet protocol.')
  const [now, late, born, limit, effectiveLimit, processes, retryMs, share, renewMs] = numbers as Nine
  const [slowestLeaseMs, firstAdopted, live, background, waiting, inUse] = numbers.slice(9) as Nine
  const held = []
  for (let index = headerLength; index < numbers.length; index += 2) {
    held.push({ id: numbers[index] as number, waitMs: numbers[index + 1] as number })
  }
  return {
    now,
    isLate: late === 1,
    born,
    limit,
    effectiveLimit,
    processes,
    retryMs,
    share: Math.min(share, limit),
    renewMs,
    slowestLeaseMs,
    firstAdopted,
    turns: [live, background],
    waiting,
    inUse,
    held,
  }
}

type Nine = [number, number, number, number, number, number, number, number, number]
