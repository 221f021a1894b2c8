import { createRateLimiter, type Permit, type PermitLane } from '@aurora-iam/rate-limit'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EndpointLimiters } from '../../src/permit/endpoint-limiters.ts'
import { closedError } from '../../src/permit/permit-errors.ts'
import { PermitWaits } from '../../src/permit/permit-waits.ts'
import { setUp as iamSetUp } from '../set-up.ts'
import { settle } from '../support.ts'

const HOUR = 3_600_000

beforeEach(() => {
  useMovedClock('setTimeout')
})
afterEach(() => {
  vi.useRealTimers()
})

/** Creates the waits at a limit whose permits are taken: one goes to the next when it is cancelled. */
function setUp({ maxWaitMs = HOUR, isOfCaller = false, limit = 1 } = {}) {
  const { target } = iamSetUp()
  const closing = new AbortController()
  const options = { limit, intervalMs: HOUR }
  const limiters = new EndpointLimiters(isOfCaller ? createRateLimiter(options) : options)
  const limiter = limiters.limiterOf(target)!
  const waits = new PermitWaits(limiters, { maxWaitMs, closing: closing.signal })
  const turn = { lane: 'live', group: target } as const
  const order: string[] = []
  const inOrder = async (name: string, permit: Promise<Permit>) => {
    const granted = await permit
    order.push(name)
    return granted
  }
  const [held, ...others] = Array.from({ length: limit }, () => waits.tryAcquire(limiter, 'live')!)
  return {
    limiter,
    waits,
    order,
    held: held!,
    others,
    /** A login that has opened no socket. */
    wait: (name = 'new', signal?: AbortSignal) =>
      inOrder(name, waits.acquire(limiter, target, { ...turn, signal })),
    /** An attempt whose socket is open. */
    waitNext: (name = 'open', lane: PermitLane = 'live') =>
      inOrder(name, waits.acquireNext(limiter, target, { ...turn, lane })),
    close: () => {
      closing.abort(closedError())
      limiters.close()
    },
  }
}

test('attempts with an open socket: the next permits are theirs, oldest first, before logins that came earlier', async () => {
  const { limiter, waits, held, order, wait, waitNext } = setUp()
  const early = wait('early')
  const [first, second] = [waitNext('first'), waitNext('second')]
  await settle()
  held.cancel()
  // A login does not overtake them without a wait either.
  expect(waits.tryAcquire(limiter, 'live')).toBeUndefined()
  ;(await first).cancel()
  ;(await second).cancel()
  await early
  expect(order).toEqual(['first', 'second', 'early'])
  expect(limiter.stats()).toMatchObject({ inFlight: 1, waiting: 0 })
})

test('no other login waits: the attempt gets its permit from the queue, and no wait counts as aborted', async () => {
  const { limiter, held, waitNext } = setUp()
  const open = waitNext()
  await settle()
  held.cancel()
  ;(await open).cancel()
  expect(limiter.stats()).toMatchObject({ granted: 2, inFlight: 0, waiting: 0, aborted: 0 })
})

test('an attempt of the background with an open socket: no login takes the permit kept for requests', async () => {
  const { limiter, waits, others, order, wait, waitNext } = setUp({ limit: 2 })
  others[0]!.cancel()
  const open = waitNext('open', 'background')
  await settle()
  expect(order).toEqual([])
  expect(waits.tryAcquire(limiter, 'live')).toBeUndefined()
  const login = wait()
  ;(await open).cancel()
  await login
  expect(order).toEqual(['open', 'new'])
})

test('an attempt that gets two permits at once, of a login and of the queue: the second goes back', async () => {
  const { limiter, held, others, wait, waitNext } = setUp({ limit: 2 })
  const [early, open] = [wait(), waitNext()]
  await settle()
  for (const permit of [held, ...others]) permit.cancel()
  await Promise.all([early, open])
  expect(limiter.stats()).toMatchObject({ inFlight: 2, waiting: 0, cancelled: 3 })
})

test('an attempt that waited without success: its error is that of the wait, and the next permit goes to another', async () => {
  const { held, waitNext, wait } = setUp({ maxWaitMs: 1_000 })
  const open = rejectionOf(waitNext())
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await open).toMatchObject({ code: 'ERR_AURORA_IAM_RATE_LIMITED', option: 'maxWaitMs' })
  const other = wait()
  await settle()
  held.cancel()
  await other
})

test('a login whose permit went to an attempt with an open socket: it waits no longer than before', async () => {
  const { held, wait, waitNext } = setUp({ maxWaitMs: 1_000 })
  const early = rejectionOf(wait())
  let isOver = false
  void early.then(() => (isOver = true))
  await vi.advanceTimersByTimeAsync(600)
  const open = waitNext()
  held.cancel()
  await open
  await vi.advanceTimersByTimeAsync(399)
  expect(isOver).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await early).toMatchObject({ code: 'ERR_AURORA_IAM_RATE_LIMITED' })
})

test.each([
  ['with a signal', new AbortController().signal],
  ['without one', undefined],
])(
  "close() while a login waits at the caller's limiter, %s: CLOSED, and the limiter stays open",
  async (_title, signal) => {
    const { limiter, held, wait, waitNext, close } = setUp({ isOfCaller: true })
    const waiting = [rejectionOf(wait('new', signal)), rejectionOf(waitNext())]
    await settle()
    close()
    for (const error of await Promise.all(waiting))
      expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_CLOSED' })
    expect(limiter.stats().waiting).toBe(0)
    held.cancel()
    await limiter.acquire()
  },
)

test("a wait at the caller's limiter that is over: no listener for close() is left", async () => {
  const { held, wait, close } = setUp({ isOfCaller: true })
  const waiting = wait('new', new AbortController().signal)
  held.cancel()
  await waiting
  const aborted = vi.spyOn(AbortController.prototype, 'abort')
  close()
  // That of close() itself, and none of a signal that was linked to it.
  expect(aborted).toHaveBeenCalledOnce()
  aborted.mockRestore()
})

test("the caller's signal: it ends the wait for its own login alone", async () => {
  for (const isOfCaller of [true, false]) {
    const { held, wait } = setUp({ isOfCaller })
    const controller = new AbortController()
    const aborted = rejectionOf(wait('aborted', controller.signal))
    const other = wait('other')
    await settle()
    controller.abort()
    expect(await aborted).toMatchObject({ code: 'ERR_AURORA_IAM_ABORTED' })
    held.cancel()
    await other
  }
})
