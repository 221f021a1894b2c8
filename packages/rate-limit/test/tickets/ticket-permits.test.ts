import { recordEvents } from '@aurora-iam/test-support/record-events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import {
  createRateLimiter,
  type Permit,
  type RateLimiter,
  type RateLimiterOptions,
  sharedRateLimiter,
  type TicketCounter,
  ticketStore,
} from '../../src/index.ts'
import { drawTicket } from '../../src/tickets/draw-ticket.ts'
import { peak } from '../fleet-script.ts'
import { SimulatedClock } from '../simulated-clock.ts'

const intervalMs = 500
const handshakeMs = 100
/** The interval, the handshake, 50 ms for the last packet, and 50 ms by which clocks may differ. */
const blockMs = 700
const roundTripMs = 5

let clock: SimulatedClock

beforeEach(() => {
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  clock = new SimulatedClock()
  clock.driveWallClock()
})

afterEach(() => {
  vi.restoreAllMocks()
})

/** The counter of a fleet, in memory and on the moved clock. It is `broken` when it rejects every draw. */
class Counter implements TicketCounter {
  readonly toleranceMs = 50
  readonly handshakeMs = handshakeMs
  broken: Error | undefined
  readonly draws: { at: number; key: string; shape: string; atLeast: number; atMost: number }[] = []
  /** Draws that have no answer yet, at most. */
  mostAtOnce = 0
  #underWay = 0
  #last = 0

  async draw(key: string, shape: string, atLeast: number, atMost: number): Promise<number | undefined> {
    this.draws.push({ at: clock.now(), key, shape, atLeast, atMost })
    this.#underWay += 1
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#underWay)
    await sleep(roundTripMs)
    this.#underWay -= 1
    if (this.broken !== undefined) throw this.broken
    const ticket = this.answer(Math.max(this.#last + 1, atLeast))
    if (ticket === undefined || ticket > atMost) return undefined
    this.#last = ticket
    return ticket
  }

  answer(ticket: number): number | undefined {
    return ticket
  }
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => clock.after(delayMs, resolve))
}

function limiterOf(counter: TicketCounter, options: Partial<RateLimiterOptions> = {}) {
  return createRateLimiter({ limit: 3, intervalMs, store: ticketStore(counter), clock, ...options })
}

/**
 * Returns when each of several requests was granted, or the code of its error. Each permit is released after `heldMs`.
 */
function grantsOf(limiter: RateLimiter, count: number, heldMs = 10): (number | string)[] {
  const grants: (number | string)[] = []
  for (let request = 0; request < count; request++) {
    limiter.acquire().then(
      async (permit) => {
        grants.push(clock.now())
        await sleep(heldMs)
        permit.release()
      },
      (error: { code: string }) => grants.push(error.code),
    )
  }
  return grants
}

/** Acquires a permit, whose ticket is of the next block, and returns it at the start of that. */
async function nextPermit(limiter: RateLimiter): Promise<Permit> {
  const [permit] = await Promise.all([limiter.acquire(), clock.advance(blockMs - (Date.now() % blockMs))])
  return permit
}

test('processes whose logins reach the server as late as they may: each block has its tickets, and never over the limit', async () => {
  const counter = new Counter()
  const counted: number[] = []
  const logIn = async (limiter: RateLimiter, connectMs: number) => {
    const permit = await limiter.acquire()
    await sleep(connectMs)
    expect(permit.isLapsed).toBe(false)
    await sleep(connectMs === 0 ? 0 : 49)
    counted.push(clock.now())
    permit.release()
  }
  for (let member = 0; member < 3; member++) {
    const limiter = limiterOf(counter)
    for (let login = 0; login < 6; login++) void logIn(limiter, login % 2 === 0 ? 0 : handshakeMs - 1)
  }
  await clock.runOut()
  expect(counted).toHaveLength(18)
  expect(
    peak(
      counted.toSorted((one, other) => one - other),
      intervalMs,
    ),
  ).toBe(3)
  // Six blocks, from the start of the first to the last packet in the sixth.
  expect(Math.max(...counted) - Math.min(...counted)).toBeLessThan(5 * blockMs + handshakeMs + 50)
})

test('a ticket: granted at the start of its block, and two blocks are as far apart as all that a login may take', async () => {
  const counter = new Counter()
  const grants = grantsOf(limiterOf(counter, { limit: 1 }), 3)
  await clock.runOut()
  expect(grants).toHaveLength(3)
  const [first, second, third] = grants as [number, number, number]
  expect((1_700_000_000_000 + first) % blockMs).toBe(0)
  expect([second - first, third - second]).toEqual([blockMs, blockMs])
  expect(counter.draws[0]).toMatchObject({ key: 'default', shape: `1/${blockMs}` })
})

test('a permit: it covers an attempt from the start of its block for handshakeMs, by the wall clock', async () => {
  const permit = await nextPermit(limiterOf(new Counter(), { limit: 1 }))
  const startAt = Math.floor(Date.now() / blockMs) * blockMs
  const wallClock = vi.mocked(Date.now)
  const seen = [-1, 0, handshakeMs - 1, handshakeMs].map((afterMs) => {
    wallClock.mockReturnValue(startAt + afterMs)
    return permit.isLapsed
  })
  expect(seen).toEqual([true, false, false, true])
})

test('more requests than maxInFlight: the next is granted when a permit is released, cancelled or expires', async () => {
  const limiter = limiterOf(new Counter(), { limit: 10, maxInFlight: 2, permitTtlMs: 5000 })
  const grants = grantsOf(limiter, 6)
  await clock.advance(blockMs + 40)
  // Two at a time, each for 10 ms; the next tickets are of the next block.
  expect(grants).toHaveLength(2)
  expect(limiter.stats()).toMatchObject({ inFlight: 0, waiting: 4 })
  await clock.runOut()
  expect(grants.every((grant) => typeof grant === 'number')).toBe(true)
  expect(limiter.stats()).toMatchObject({ granted: 6, succeeded: 6, timedOut: 0 })

  const lost = [limiter.acquire(), limiter.acquire()]
  await clock.advance(blockMs)
  await Promise.all(lost)
  const last = limiter.acquire()
  await clock.advance(5000 + blockMs)
  expect((await last).waitedMs).toBeGreaterThanOrEqual(5000 - blockMs)
  expect(limiter.stats()).toMatchObject({ expired: 2 })
})

test('a cancelled permit: the request behind it uses its ticket at once, and no other is drawn for it', async () => {
  const counter = new Counter()
  const limiter = limiterOf(counter, { limit: 2, maxInFlight: 1 })
  const held = await nextPermit(limiter)
  const grants = grantsOf(limiter, 1)
  await clock.advance(0)
  expect([grants, counter.draws.length]).toEqual([[], 1])
  held.cancel()
  const cancelledAt = clock.now()
  await clock.advance(0)
  expect([grants, counter.draws.length]).toEqual([[cancelledAt], 1])
})

test('requests that wait: as many tickets are drawn as they can use, four at once', async () => {
  const counter = new Counter()
  const limiter = limiterOf(counter, { limit: 20 })
  grantsOf(limiter, 9)
  await clock.advance(blockMs)
  expect(counter.draws).toHaveLength(9)
  expect(counter.mostAtOnce).toBe(4)
  expect(limiter.stats()).toMatchObject({ granted: 9 })
  await clock.runOut()
  expect(counter.draws).toHaveLength(9)
})

test('requests in the background: tickets are drawn for them as well', async () => {
  const counter = new Counter()
  const limiter = limiterOf(counter)
  const permits = Promise.all([
    limiter.acquire({ lane: 'background' }),
    limiter.acquire({ lane: 'background' }),
    limiter.acquire(),
  ])
  await clock.advance(blockMs)
  expect((await permits).map(({ lane }) => lane)).toEqual(['background', 'background', 'live'])
  expect(counter.draws).toHaveLength(3)
})

test('a ticket whose time passed while the process was busy: it is not used, and another is drawn', async () => {
  let latenessMs = 0
  clock = new SimulatedClock(() => latenessMs)
  clock.driveWallClock()
  const counter = new Counter()
  const limiter = limiterOf(counter, { limit: 1 })
  latenessMs = handshakeMs
  const grants = grantsOf(limiter, 1)
  await clock.advance(roundTripMs)
  latenessMs = 0
  await clock.runOut()
  expect(grants).toHaveLength(1)
  expect(counter.draws).toHaveLength(2)
  expect((1_700_000_000_000 + (grants[0] as number)) % blockMs).toBe(0)
})

test('tickets: of the block that begins next to the last one that begins within maxWaitMs', async () => {
  const counter = new Counter()
  const limiter = limiterOf(counter, { limit: 3, maxWaitMs: 2 * blockMs })
  grantsOf(limiter, 1)
  await clock.advance(0)
  const block = Math.floor(Date.now() / blockMs)
  expect(counter.draws).toMatchObject([{ atLeast: (block + 1) * 3, atMost: (block + 3) * 3 - 1 }])
  await clock.runOut()
})

test('every ticket within maxWaitMs is drawn: a process asks again about a block later, though nothing else happens', async () => {
  const counter = new Counter()
  let isFull = true
  counter.answer = (ticket) => (isFull ? undefined : ticket)
  const limiter = limiterOf(counter)
  const grants = grantsOf(limiter, 2)
  await clock.advance(blockMs)
  const asked = counter.draws.length
  expect(asked).toBe(2)
  isFull = false
  await clock.advance(2 * blockMs)
  expect(counter.draws.length).toBe(asked + 2)
  expect(counter.draws.at(-1)!.at - counter.draws[0]!.at).toBe(roundTripMs + blockMs + 1)
  expect(grants).toHaveLength(2)
  expect(limiter.stats()).toMatchObject({ storeLost: false })
})

test('a store that fails and is back: nothing is granted meanwhile, with retries further and further apart', async () => {
  const lost = recordEvents('aurora-iam:rate-limit:store-lost')
  const back = recordEvents('aurora-iam:rate-limit:store-back')
  const counter = new Counter()
  const error = new Error('Rate exceeded.')
  counter.broken = error
  const limiter = limiterOf(counter, { maxWaitMs: 60_000 })
  const startedAt = clock.now()
  const grants = grantsOf(limiter, 1)
  await clock.advance(17_000)
  const gaps = counter.draws.slice(1).map(({ at }, index) => at - counter.draws[index]!.at - roundTripMs - 1)
  expect(gaps).toEqual([250, 500, 1000, 2000, 4000, 4000, 4000])
  expect(grants).toEqual([])
  expect(limiter.stats()).toMatchObject({ limit: 3, effectiveLimit: 0, storeLost: true, available: 0 })
  expect(lost).toEqual([{ key: undefined, error, onStoreLost: 'share', limit: 0 }])

  counter.broken = undefined
  await clock.runOut()
  expect(grants).toHaveLength(1)
  grantsOf(limiter, 1)
  await clock.runOut()
  expect(limiter.stats()).toMatchObject({ effectiveLimit: 3, storeLost: false })
  const backAt = counter.draws.at(-2)!.at
  expect(back).toEqual([{ key: undefined, lostForMs: backAt - startedAt }])

  // The next failure begins with the shortest retry.
  counter.broken = error
  counter.draws.length = 0
  const failed = grantsOf(limiter, 1)
  await clock.advance(1000)
  expect(counter.draws.map(({ at }) => at - counter.draws[0]!.at)).toEqual([0, 256, 762])
  limiter.close()
  const closedAt = clock.now()
  await clock.runOut()
  expect(failed).toEqual(['ERR_RATE_LIMIT_CLOSED'])
  // The retry does not keep the process alive.
  expect(clock.now()).toBe(closedAt)
})

test('a store that fails for many processes: their retries are spread', async () => {
  vi.mocked(Math.random).mockReturnValue(0)
  const counter = new Counter()
  counter.broken = new Error('Rate exceeded.')
  const limiter = limiterOf(counter)
  grantsOf(limiter, 1)
  await clock.advance(500)
  expect(counter.draws[1]!.at - counter.draws[0]!.at).toBe(roundTripMs + 0.8 * 250 + 1)
  limiter.close()
})

test('a reply that comes after that to a later draw: the earlier ticket is used first', async () => {
  const counter = new Counter()
  const draws: Promise<number | undefined>[] = []
  const limiter = limiterOf(
    {
      toleranceMs: 50,
      handshakeMs,
      draw: async (...request) => {
        const ticket = counter.draw(...request)
        draws.push(ticket)
        if (draws.length === 1) await sleep(50)
        return ticket
      },
    },
    { limit: 1, maxInFlight: 2 },
  )
  const nextBlockAt = clock.now() + blockMs - (Date.now() % blockMs)
  const grants = grantsOf(limiter, 2)
  await clock.runOut()
  expect(grants).toEqual([nextBlockAt, nextBlockAt + blockMs])
})

test('the time limit of a draw: it does not keep the process alive', async () => {
  const startedAt = clock.now()
  const store = { toleranceMs: 0, handshakeMs, draw: () => new Promise<number>(() => {}) }
  drawTicket(store, clock, ['k', 's', 1, 2]).catch(() => {})
  await clock.runOut()
  expect([clock.timers.length, clock.now()]).toEqual([1, startedAt])
})

test('a draw that is never answered: it has failed after 5 s, and others are made', async () => {
  const events = recordEvents('aurora-iam:rate-limit:store-lost')
  const counter = new Counter()
  let isSilent = true
  const limiter = limiterOf(
    {
      toleranceMs: 50,
      handshakeMs,
      draw: (...request) => (isSilent ? new Promise(() => {}) : counter.draw(...request)),
    },
    { maxWaitMs: 20_000 },
  )
  const grants = grantsOf(limiter, 5)
  await clock.advance(4999)
  expect(limiter.stats().storeLost).toBe(false)
  isSilent = false
  await clock.advance(1)
  expect(limiter.stats().storeLost).toBe(true)
  expect(events).toMatchObject([{ error: { message: 'It has not replied within 5000 ms.' } }])
  await clock.runOut()
  expect(grants.filter((grant) => typeof grant === 'number')).toHaveLength(5)
  // No timer is left of draws that were answered.
  expect(clock.timers).toEqual([])
})

test('a wait that ends while the store is lost: the error has the reason', async () => {
  const counter = new Counter()
  counter.broken = new Error('Rate exceeded.')
  const request = limiterOf(counter).acquire({ timeoutMs: 1000 })
  const ended = Promise.allSettled([request])
  await clock.advance(1000)
  await ended
  await expect(request).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_STORE_LOST', cause: counter.broken })
})

test.each([
  ['below those that were asked for', (ticket: number) => ticket - 1],
  ['beyond those that were asked for', (_: number, atMost: number) => atMost + 1],
  ['not a number', () => Number.NaN],
  ['between two', (ticket: number) => ticket + 0.5],
])('a reply that is %s: nothing is granted', async (_, reply) => {
  const counter: TicketCounter = {
    toleranceMs: 50,
    handshakeMs,
    draw: async (_key, _shape, atLeast, atMost) => reply(atLeast, atMost),
  }
  const limiter = limiterOf(counter)
  const request = limiter.acquire({ timeoutMs: 3000 })
  const ended = Promise.allSettled([request])
  await clock.advance(3000)
  await ended
  await expect(request).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_STORE_LOST',
    message: expect.stringContaining('not a ticket of those that were asked for'),
  })
  expect(limiter.stats().granted).toBe(0)
})

test('the first and the last ticket that was asked for: both are used', async () => {
  for (const pick of ['atLeast', 'atMost'] as const) {
    const draw: TicketCounter['draw'] = async (_key, _shape, atLeast, atMost) => ({ atLeast, atMost })[pick]
    const limiter = limiterOf({ toleranceMs: 50, handshakeMs, draw }, { maxWaitMs: 2 * blockMs })
    const grants = grantsOf(limiter, 1)
    await clock.advance(2 * blockMs)
    expect(grants).toHaveLength(1)
    expect(grants[0]).toEqual(expect.any(Number))
  }
})

test('a limit that is lowered: the first tickets of each block alone are used, and a larger one changes nothing', async () => {
  const lowered = recordEvents('aurora-iam:rate-limit:lowered')
  const counter = new Counter()
  const limiter = limiterOf(counter, { limit: 4 })
  limiter.lower(2)
  limiter.lower(2)
  limiter.lower(3)
  expect(limiter.stats()).toMatchObject({ limit: 2, effectiveLimit: 2 })
  expect(lowered).toEqual([{ key: undefined, from: 4, to: 2 }])
  const grants = grantsOf(limiter, 6)
  await clock.runOut()
  const blocks = (grants as number[]).map((at) => Math.floor((1_700_000_000_000 + at) / blockMs))
  expect(blocks.map((block) => block - blocks[0]!)).toEqual([0, 0, 1, 1, 2, 2])
  // Tickets have the numbers of the whole limit.
  expect(counter.draws[0]!.shape).toBe(`4/${blockMs}`)
})

test('a throttled login: half of the tickets are used, one more after each recoveryIntervalMs, and an event reports it', async () => {
  const throttled = recordEvents('aurora-iam:rate-limit:throttled')
  const limiter = limiterOf(new Counter(), { limit: 4, recoveryIntervalMs: 2000 })
  const permit = await nextPermit(limiter)
  permit.release('throttled')
  expect(throttled).toEqual([{ key: undefined, effectiveLimit: 2 }])
  expect(limiter.stats()).toMatchObject({ limit: 4, effectiveLimit: 2, throttled: 1 })
  await clock.advance(2000)
  expect(limiter.stats()).toMatchObject({ effectiveLimit: 3 })
})

test('tickets that a process holds: available from the start of their block to the end of their time', async () => {
  const limiter = limiterOf(new Counter(), { limit: 1, maxInFlight: 2 })
  const first = await nextPermit(limiter)
  const controller = new AbortController()
  const waiting = limiter.acquire({ signal: controller.signal })
  const ended = Promise.allSettled([waiting])
  await clock.advance(20)
  controller.abort()
  await ended
  expect(limiter.stats().available).toBe(0)
  const toNextBlockMs = blockMs - (Date.now() % blockMs)
  await clock.advance(toNextBlockMs - 1)
  expect(limiter.stats().available).toBe(0)
  await clock.advance(1)
  expect(limiter.stats().available).toBe(1)
  await clock.advance(handshakeMs)
  expect(limiter.stats().available).toBe(0)
  first.release()
})

test('a full queue: the estimate counts the blocks before the request', async () => {
  const limiter = limiterOf(new Counter(), { limit: 2, maxQueue: 4 })
  const grants = grantsOf(limiter, 4)
  await expect(limiter.acquire()).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_QUEUE_FULL',
    retryAfterMs: 3 * blockMs,
  })
  await clock.runOut()
  expect(grants).toHaveLength(4)
})

test('a shared key that is closed: it is forgotten when two blocks have passed since its last attempt', async () => {
  const counter = new Counter()
  const options = { limit: 3, intervalMs, store: ticketStore(counter), clock }
  const first = sharedRateLimiter('tickets', options)
  const permit = await nextPermit(first)
  first.close()
  const reopened = async () => {
    const again = sharedRateLimiter('tickets', options)
    const { granted } = again.stats()
    again.close()
    return granted
  }
  await clock.advance(10 * blockMs)
  // Its attempt is under way.
  expect(await reopened()).toBe(1)
  permit.release()
  await clock.advance(2 * blockMs)
  expect(await reopened()).toBe(1)
  await clock.advance(1)
  expect(await reopened()).toBe(0)
  expect(counter.draws.every(({ key }) => key === 'tickets')).toBe(true)
  await expect(sharedRateLimiter('tickets', options).flush()).resolves.toBeUndefined()
})

test.each(['text', undefined, null])(
  'a store that rejects with %j: an error like any other',
  async (reason) => {
    const counter: TicketCounter = { toleranceMs: 50, handshakeMs, draw: () => Promise.reject(reason) }
    const request = limiterOf(counter).acquire({ timeoutMs: 1000 })
    const ended = expect(request).rejects.toMatchObject({
      code: 'ERR_RATE_LIMIT_STORE_LOST',
      cause: expect.objectContaining({ cause: reason }),
    })
    await clock.advance(2000)
    await ended
  },
)
