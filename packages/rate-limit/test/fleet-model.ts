import type { Redis } from 'ioredis'
import { createRateLimiter, fleetStore, type RateLimitClock } from '../src/index.ts'
import type { ScriptRunner } from './fleet-scenario.ts'
import { onGivenClock, peak, scriptRunner } from './fleet-script.ts'
import { LockstepClock } from './lockstep-clock.ts'

const limit = 2
const intervalMs = 250
const logins = 6
const processes = 3

/** From one login to the next; a handshake; a packet between a process and the store. */
const slotMs = 60
const handshakeMs = 40
const packetMs = 2
/** By then every process has met the store, which has permits. */
const firstLoginMs = 2200
const deadlineMs = 60_000

/** One outage of the store: it begins with a login, and loses the request or the reply. */
interface ModelOutage {
  readonly login: number
  readonly loses: 'request' | 'reply'
  readonly isSilent: boolean
  readonly losesData: boolean
  readonly forMs: number
}

/** One interleaving: which process makes each login, in order, and the outage. */
export interface Interleaving {
  readonly turns: readonly number[]
  readonly outage: ModelOutage | undefined
}

/** Returns all ways in which so many logins can fall to the processes; renaming the processes makes no other way. */
function* allTurns(turns: readonly number[] = []): Generator<readonly number[]> {
  if (turns.length === logins) {
    yield turns
    return
  }
  const known = Math.max(-1, ...turns)
  for (let process = 0; process <= Math.min(known + 1, processes - 1); process++) {
    yield* allTurns([...turns, process])
  }
}

/**
 * The two outages that differ most: so long that processes go on without the store, and short but with all data lost.
 */
const extremes = [
  { loses: 'request', isSilent: true, losesData: false, forMs: 5000 },
  { loses: 'request', isSilent: false, losesData: true, forMs: 200 },
] as const

const everyKind = [true, false].flatMap((isSilent) =>
  [true, false].flatMap((losesData) =>
    [200, 5000].flatMap((forMs) =>
      (['request', 'reply'] as const).map((loses) => ({ loses, isSilent, losesData, forMs })),
    ),
  ),
)

/**
 * Returns every order of the logins of up to three processes, each without an outage and with one that begins at each
 * of the logins.
 *
 * @param kinds - every kind of outage, or the two extremes.
 */
export function allInterleavings(kinds: 'every kind' | 'extremes'): Interleaving[] {
  const outages = (kinds === 'extremes' ? extremes : everyKind).flatMap((kind) =>
    Array.from({ length: logins }, (_, login) => ({ login, ...kind })),
  )
  return [...allTurns()].flatMap((turns) => [undefined, ...outages].map((outage) => ({ turns, outage })))
}

/** Plays interleavings side by side, and returns what went wrong, in words. */
export async function playAll(
  redis: Redis,
  interleavings: readonly Interleaving[],
  script: string,
): Promise<string[]> {
  await redis.flushall()
  const clock = new LockstepClock()
  const { run, lose } = scriptRunner(redis, onGivenClock(script))
  const played = interleavings.map((interleaving, index) =>
    playInterleaving(interleaving, clock, `${index}`, run, (key) => void lose(key)),
  )
  return (await clock.run(Promise.all(played))).flat()
}

/** Plays one interleaving on a clock that others share. */
async function playInterleaving(
  { turns, outage }: Interleaving,
  clock: LockstepClock,
  key: string,
  run: ScriptRunner,
  loseData: (key: string) => void,
): Promise<string[]> {
  const startedAt = clock.now()
  const elapsed = () => clock.now() - startedAt
  const lostFrom =
    outage && firstLoginMs + slotMs * outage.login + (outage.loses === 'request' ? 0 : packetMs + 1)
  const isLost = () => lostFrom !== undefined && elapsed() >= lostFrom && elapsed() < lostFrom + outage!.forMs
  let isOver = false
  const ownClock: RateLimitClock = {
    now: () => clock.now(),
    setTimer: (callback, delayMs) => clock.setTimer(() => !isOver && callback(), delayMs),
  }
  const store = fleetStore({
    step: (_, request) =>
      new Promise((resolve, reject) => {
        const isDropped = () => {
          if (!isLost()) return false
          if (!outage!.isSilent) reject(new Error('The connection was lost.'))
          return true
        }
        clock.after(packetMs, async () => {
          if (isOver || isDropped()) return
          const reply = await run(key, request, 1_700_000_000_000 + elapsed())
          clock.after(packetMs, () => !isOver && !isDropped() && resolve(reply))
        })
      }),
  })
  if (outage?.losesData) clock.after(lostFrom!, () => loseData(key))
  const limiters = Array.from({ length: Math.max(...turns) + 1 }, () =>
    createRateLimiter({ limit, intervalMs, clock: ownClock, store, maxWaitMs: 900_000 }),
  )
  for (const limiter of limiters) void limiter.acquire().then((permit) => permit.cancel())
  const counted: number[] = []
  const ends = turns.map(async (process, login) => {
    await clock.sleep(firstLoginMs + slotMs * login)
    const limiter = limiters[process]!
    for (;;) {
      const permit = await limiter.acquire()
      await clock.sleep(handshakeMs / 2)
      const isCounted = !permit.isLapsed
      if (isCounted) counted.push(clock.now())
      await clock.sleep(handshakeMs / 2)
      permit.release(isCounted ? 'ok' : 'failed')
      if (isCounted) return
    }
  })
  await Promise.race([Promise.all(ends), clock.sleep(deadlineMs)])
  isOver = true
  const most = peak(counted, intervalMs)
  const words = JSON.stringify({ turns, outage })
  if (most > limit) return [`${most} logins in ${intervalMs} ms: ${words}`]
  return counted.length < logins ? [`${logins - counted.length} logins without an end: ${words}`] : []
}
