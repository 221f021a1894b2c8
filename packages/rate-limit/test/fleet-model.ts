import { createRateLimiter, type RateLimitClock, type RateLimitStore } from '../src/index.ts'
import type { ScriptRunner } from './fleet-scenario.ts'
import { peak } from './fleet-script.ts'
import type { LockstepClock } from './lockstep-clock.ts'

export const limit = 2
export const intervalMs = 250
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

function* allOutages(): Generator<ModelOutage | undefined> {
  yield undefined
  for (let login = 0; login < logins; login++) {
    for (const loses of ['request', 'reply'] as const) {
      // Short and unnoticed, or so long that processes go on without the store.
      yield { login, loses, isSilent: false, losesData: false, forMs: 200 }
      yield { login, loses, isSilent: true, losesData: true, forMs: 200 }
      yield { login, loses, isSilent: true, losesData: false, forMs: 5000 }
      yield { login, loses, isSilent: false, losesData: true, forMs: 5000 }
    }
  }
}

/** Returns every interleaving of the model. */
export function allInterleavings(): Interleaving[] {
  const outages = [...allOutages()]
  return [...allTurns()].flatMap((turns) => outages.map((outage) => ({ turns, outage })))
}

/** Plays one interleaving on a clock that others share, and returns what went wrong, in words. */
export async function playInterleaving(
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
  const store: RateLimitStore = {
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
  }
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
