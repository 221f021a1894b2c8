/** What the store says to one step: all that the process holds, and how things stand. */
export interface FleetAnswer {
  /** The store's clock, in milliseconds. */
  readonly now: number
  /** When the state began. It begins anew when it was lost. */
  readonly born: number
  /** The smallest limit that a process has named lately. */
  readonly limit: number
  /** The limit in force: less than `limit` for a while after `'throttled'` outcomes. */
  readonly effectiveLimit: number
  /** The most processes seen at a time in the last hour. */
  readonly processes: number
  /** When to ask again, for those who still wait. */
  readonly retryMs: number
  /** How long a process that went on alone has to go on so, for all to come back together. */
  readonly aloneForMs: number
  /** Every permit that the process holds, and how long until it may be used. */
  readonly held: ReadonlyArray<{ readonly id: number; readonly waitMs: number }>
}

/** @throws {@link Error} for anything that is not an answer of the script. */
export function readFleetAnswer(reply: unknown): FleetAnswer {
  // Some clients can be set to give numbers as texts.
  const numbers = Array.isArray(reply)
    ? reply.map((each) => (typeof each === 'string' ? Number(each) : each))
    : []
  const [now, born, limit, effectiveLimit, processes, retryMs, aloneForMs, ...rest] = numbers
  const isAnswer =
    numbers.length >= 7 &&
    numbers.length % 2 === 1 &&
    numbers.every((each) => Number.isSafeInteger(each) && each >= 0) &&
    Math.min(limit, effectiveLimit, processes) >= 1
  if (!isAnswer) throw new Error('The store answered something that is not an answer of the fleet protocol.')
  const held = []
  for (let index = 0; index < rest.length; index += 2) held.push({ id: rest[index], waitMs: rest[index + 1] })
  return { now, born, limit, effectiveLimit, processes, retryMs, aloneForMs, held }
}
