import { expect, test } from 'vitest'
import { createRateLimiter, type Permit, sharedRateLimiter } from '../../src/index.ts'
import { SimulatedClock } from '../simulated-clock.ts'

const restMs = 1002

function named(names: string[], name: string) {
  return (permit: Permit) => {
    names.push(name)
    permit.release()
  }
}

test('2 requests behind 100 of another pool on one endpoint: granted with the next few, not after the 100', async () => {
  const clock = new SimulatedClock()
  const large = sharedRateLimiter('turns', { limit: 2, clock })
  const small = sharedRateLimiter('turns', { limit: 2, clock })
  const order: string[] = []
  for (let count = 0; count < 102; count++) void large.acquire().then(named(order, 'large'), () => {})
  for (let count = 0; count < 2; count++) void small.acquire().then(named(order, 'small'))
  await clock.advance(2 * restMs)
  expect(order).toEqual(['large', 'large', 'large', 'small', 'large', 'small'])
  large.close()
  small.close()
  await clock.runOut()
})

test('two pools behind one limiter: their groups take turns', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 1, clock, maxWaitMs: 600_000 })
  const pools = [{}, {}]
  const order: string[] = []
  for (const [index, group] of pools.entries()) {
    for (let count = 0; count < 3; count++) void limiter.acquire({ group }).then(named(order, `${index}`))
  }
  await clock.runOut()
  expect(order).toEqual(['0', '0', '1', '0', '1', '1'])
})

test('a live request behind 50 in the background: the next permit is its', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 1, clock, maxWaitMs: 600_000 })
  const order: string[] = []
  for (let count = 0; count < 51; count++) {
    void limiter.acquire({ lane: 'background' }).then(named(order, 'background'), () => {})
  }
  await clock.advance(10)
  void limiter.acquire().then(named(order, 'live'))
  await clock.advance(restMs)
  expect(order).toEqual(['background', 'live'])
  limiter.close()
  await clock.runOut()
})

test('background requests leave one permit free: a live request is granted at once beside any number of them', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 20, clock, maxWaitMs: 600_000 })
  const background = Array.from({ length: 30 }, () => limiter.acquire({ lane: 'background' }))
  const ended = Promise.allSettled(background)
  await clock.advance(10)
  expect(limiter.stats()).toMatchObject({ inFlight: 19, waiting: 11 })
  const live = await limiter.acquire()
  expect(live).toMatchObject({ waitedMs: 0, lane: 'live' })
  limiter.close()
  await ended
})

test('live requests without end: background ones wait, and time out', async () => {
  const clock = new SimulatedClock()
  const limiter = createRateLimiter({ limit: 1, clock, maxWaitMs: 600_000 })
  const order: string[] = []
  for (let count = 0; count < 5; count++) void limiter.acquire().then(named(order, 'live'))
  const background = limiter.acquire({ lane: 'background', timeoutMs: 3000 })
  const ended = Promise.allSettled([background])
  await clock.runOut()
  await ended
  await expect(background).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_TIMEOUT' })
  expect(order).toHaveLength(5)
})

test.each([
  ['lane', { lane: 'slow' }],
  ['lane', { lane: null }],
  ['group', { group: 'pool' }],
  ['group', { group: null }],
])('a wrong %s: refused by name', async (option, options) => {
  const limiter = createRateLimiter({ limit: 1 })
  await expect(limiter.acquire(options as never)).rejects.toMatchObject({
    code: 'ERR_RATE_LIMIT_INVALID_OPTION',
    option,
  })
})

/** Returns the longest time for which the event loop was blocked while `action` ran to its end. */
async function turnsOfLoop(action: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let isOver = false
  const count = () => {
    turns += 1
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  await action()
  isOver = true
  return turns
}

test.each(['abort', 'close'] as const)(
  '10,000 waits that end together by %s: the loop turns many times meanwhile, and none of them is granted',
  async (way) => {
    const clock = new SimulatedClock()
    const limiter = createRateLimiter({ limit: 1, clock, maxQueue: 20_000 })
    const held = await limiter.acquire()
    const controller = new AbortController()
    const requests = Array.from({ length: 10_000 }, () => limiter.acquire({ signal: controller.signal }))
    const ended = Promise.allSettled(requests)
    const turns = await turnsOfLoop(async () => {
      if (way === 'abort') controller.abort()
      else limiter.close()
      // A permit that becomes free between two slices is not for those whose end is still to come.
      held.cancel()
      await ended
    })
    expect((await ended).every(({ status }) => status === 'rejected')).toBe(true)
    expect(turns).toBeGreaterThan(10)
    expect(limiter.stats()).toMatchObject({ waiting: 0, inFlight: 0 })
    expect(clock.timers).toEqual([])
  },
)
