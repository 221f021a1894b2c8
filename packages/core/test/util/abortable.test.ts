import { getEventListeners } from 'node:events'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { adapterIam } from '../../src/adapter.ts'
import { LONGEST_TIMER_MS } from '../../src/timings.ts'
import { linkSignals, onAbort, raceAbort, waitFor, withTimeout } from '../../src/util/abortable.ts'
import { Deferred } from '../support.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a signal that is aborted already: the listener is called once, and nothing listens', () => {
  const signal = AbortSignal.abort('reason')
  const listener = vi.fn()
  onAbort(signal, listener)()
  expect(listener.mock.calls).toEqual([['reason']])
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('a signal that is aborted later: each listener is called but those that were removed', () => {
  const controller = new AbortController()
  const [kept, removed] = [vi.fn(), vi.fn()]
  onAbort(controller.signal, kept)
  onAbort(controller.signal, removed)()
  // Node warns of a leak at the eleventh listener of a signal.
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  controller.abort('reason')
  expect(kept.mock.calls).toEqual([['reason']])
  expect(removed).not.toHaveBeenCalled()
})

test('linked signals: aborted with the first, until they are unlinked', () => {
  const [first, second] = [new AbortController(), new AbortController()]
  const linked = linkSignals([first.signal, second.signal])
  const unlinked = linkSignals([first.signal, second.signal])
  unlinked.unlink()
  second.abort('reason')
  first.abort('late')
  expect([linked.signal.aborted, linked.signal.reason]).toEqual([true, 'reason'])
  expect(unlinked.signal.aborted).toBe(false)
  expect(linkSignals([second.signal]).signal.reason).toBe('reason')
})

// On Node 20 each such call leaves 50 bytes behind for as long as the AuroraIam lives.
test("a login with the caller's limiter and a signal: AbortSignal.any is not called", async () => {
  const any = vi.spyOn(AbortSignal, 'any')
  const iam = adapterIam({ credentials: STATIC, rateLimit: createRateLimiter({ limit: 5 }) })
  const host = 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
  const target = iam.resolve({ host, port: 3306, user: 'app' })
  const login = await iam.login(target, { signal: new AbortController().signal })
  login.cancel()
  expect(any).not.toHaveBeenCalled()
  any.mockRestore()
  iam.close()
})

describe('on a moved clock', () => {
  const { signal } = new AbortController()
  const useMovedClock = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })

  /** Begins a wait, and returns whether it is over. */
  function wait(delayMs: number, signals: readonly AbortSignal[] = [signal], wakers = new Set<() => void>()) {
    const over = vi.fn()
    const waiting = waitFor(delayMs, signals, wakers).then(over)
    return { wakers, waiting, isOver: () => over.mock.calls.length > 0 }
  }

  test.each([
    ['a whole number', 10, 10],
    ['a fraction, which is the next whole one', 9.1, 10],
    ['0, which is the shortest timer', 0, 1],
    ['less than 0, which is the shortest timer', -5, 1],
    ['longer than a timer of Node, which is as long as it can be', 1e12, LONGEST_TIMER_MS],
  ])('waitFor for %s: it ends then', async (_what, delayMs, endsAfterMs) => {
    useMovedClock()
    const { isOver } = wait(delayMs)
    await vi.advanceTimersByTimeAsync(endsAfterMs - 1)
    expect(isOver()).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(isOver()).toBe(true)
  })

  test('waitFor, aborted or woken: it ends, and neither its timer nor its waker is left', async () => {
    useMovedClock()
    const controller = new AbortController()
    const aborted = wait(1_000, [signal, controller.signal])
    const woken = wait(1_000)
    expect(vi.getTimerCount()).toBe(2)
    controller.abort()
    for (const wake of woken.wakers) wake()
    await Promise.all([aborted.waiting, woken.waiting])
    expect(vi.getTimerCount()).toBe(0)
    expect([aborted.wakers.size, woken.wakers.size]).toEqual([0, 0])
  })

  test('waitFor, one signal aborted before: it ends at once, without a timer', async () => {
    useMovedClock()
    const { waiting, wakers } = wait(1_000, [signal, AbortSignal.abort()])
    expect([vi.getTimerCount(), wakers.size]).toEqual([0, 0])
    await waiting
  })

  test.each([
    ['the work ends', (work: Deferred<string>) => work.resolve('result'), 'result'],
    ['the work fails', (work: Deferred<string>) => work.reject(new Error('failed')), 'failed'],
    [
      'the signal is aborted',
      (_: unknown, abort: AbortController) => abort.abort(new Error('closed')),
      'closed',
    ],
    ['the time is over', () => vi.advanceTimersByTime(50), 'too late'],
  ])('withTimeout, %s: that is the outcome, and no timer is left', async (_what, end, outcome) => {
    useMovedClock()
    const work = new Deferred<string>()
    const controller = new AbortController()
    const limits = { timeoutMs: 50, signal: controller.signal }
    const result = withTimeout(
      () => work.promise,
      limits,
      () => new Error('too late'),
    ).catch(({ message }) => message)
    vi.advanceTimersByTime(49)
    end(work, controller)
    expect(await result).toBe(outcome)
    expect(vi.getTimerCount()).toBe(0)
  })
})

test('raceAbort, a signal that was aborted before: its reason, and the work is not started', async () => {
  const work = vi.fn(async () => 'result')
  const signals = [new AbortController().signal, AbortSignal.abort(new Error('closed'))]
  await expect(raceAbort(work, signals)).rejects.toThrow('closed')
  expect(work).not.toHaveBeenCalled()
  expect(await raceAbort(work, signals.slice(0, 1))).toBe('result')
})

test('raceAbort, over: nothing is left that listens to its signals', async () => {
  const controller = new AbortController()
  await raceAbort(async () => {}, [controller.signal])
  await raceAbort(() => Promise.reject(new Error('failed')), [controller.signal]).catch(() => {})
  // Each listener reads the reason.
  const reason = vi.spyOn(controller.signal, 'reason', 'get')
  controller.abort()
  expect(reason).not.toHaveBeenCalled()
})
