import type { Permit } from '@aurora-iam/rate-limit'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { AttemptPermit } from '../../src/permit/attempt-permit.ts'
import { SuspectAddresses } from '../../src/permit/suspect-addresses.ts'
import { setUp as iamSetUp } from '../set-up.ts'

const ADDRESS = { host: 'db.test', port: 3306 }
const KEY = 'db.test:3306'
const LIMIT = { limit: 1, intervalMs: 1_000 }

beforeEach(() => {
  useMovedClock('setTimeout')
})
afterEach(() => {
  vi.useRealTimers()
})

function permitOf(id: string) {
  const permit = { id, isLapsed: false, lane: 'live', waitedMs: 0, release: vi.fn(), cancel: vi.fn() }
  return permit as typeof permit & Permit
}

function setUp({ isMissing = false, hasLimit = true } = {}) {
  const addresses = new SuspectAddresses()
  const next: Array<(permit: Permit) => void> = []
  const acquireNext = vi.fn(() => new Promise<Permit>((resolve) => next.push(resolve)))
  const permit = hasLimit && !isMissing ? permitOf('first') : undefined
  const { target } = iamSetUp()
  const turn = { lane: 'live', group: {} } as const
  const attempt = new AttemptPermit(
    { addresses, acquireNext },
    { target, turn, address: ADDRESS, permit, isMissing },
  )
  return { addresses, acquireNext, next, permit, attempt, target, turn }
}

/** Makes the server send nothing for so long that the permit goes back. */
async function fallSilent({ attempt }: ReturnType<typeof setUp>): Promise<void> {
  attempt.trackConnect()
  await vi.advanceTimersByTimeAsync(500)
  await new Promise(setImmediate)
}

test('a server that answers in time: the attempt keeps its permit, and releases it once', () => {
  const { attempt, permit, addresses } = setUp()
  expect([attempt.isUnanswered, attempt.isUsable, attempt.id]).toEqual([false, true, 'first'])
  attempt.trackConnect()
  expect(attempt.isUnanswered).toBe(true)
  expect(attempt.confirm()).toBeUndefined()
  expect(attempt.isUnanswered).toBe(false)
  // The socket of an attempt is opened once.
  attempt.trackConnect()
  expect(attempt.isUnanswered).toBe(false)
  expect(attempt.confirmEarly()).toBeUndefined()
  attempt.release('ok')
  expect(permit?.release).toHaveBeenCalledExactlyOnceWith('ok')
  expect(addresses.isSuspect(KEY)).toBe(false)
})

test('a server that accepted the attempt, without a report of its first bytes: it has answered', async () => {
  const set = setUp()
  set.attempt.trackConnect()
  set.attempt.release('ok')
  await fallSilent(set)
  expect(set.permit?.cancel).not.toHaveBeenCalled()
  expect(set.addresses.isSuspect(KEY)).toBe(false)
})

describe('a server that sends nothing', () => {
  test('for half a second: the permit goes back, and the attempt acquires another one before it answers', async () => {
    const set = setUp()
    const { attempt, permit, acquireNext, next, target, turn } = set
    await fallSilent(set)
    expect(permit?.cancel).toHaveBeenCalledOnce()
    expect(attempt.isUsable).toBe(false)
    const confirmed = attempt.confirm()
    expect(acquireNext).toHaveBeenCalledExactlyOnceWith(target, turn)
    expect(attempt.isUsable).toBe(false)
    next[0]?.(permitOf('second'))
    await confirmed
    expect([attempt.isUsable, attempt.id]).toEqual([true, 'second'])
    expect(permit?.release).not.toHaveBeenCalled()
  })

  test('and answers an attempt that has ended: no permit is acquired', async () => {
    const set = setUp()
    await fallSilent(set)
    set.attempt.cancel()
    expect(set.attempt.confirm()).toBeUndefined()
    expect(set.acquireNext).not.toHaveBeenCalled()
  })

  test('and then closes the connection while it waits: the other permit goes back, and the wait is an error', async () => {
    const set = setUp()
    await fallSilent(set)
    const confirmed = rejectionOf(set.attempt.confirm() as Promise<void>)
    set.attempt.release('failed')
    const second = permitOf('second')
    set.next[0]?.(second)
    expect((await confirmed).message).toMatch(/closed while it waited for another permit/)
    expect(second.cancel).toHaveBeenCalledOnce()
    expect(set.permit?.release).not.toHaveBeenCalled()
  })

  test('a permit that came back: it does not go back twice', async () => {
    const set = setUp()
    await fallSilent(set)
    set.attempt.returnPermit()
    expect(set.permit?.cancel).toHaveBeenCalledOnce()
  })
})

test('a permit that has lapsed: unusable, and released as failed once another one is acquired', async () => {
  const { attempt, permit, next } = setUp()
  Object.assign(permit as object, { isLapsed: true })
  expect(attempt.isUsable).toBe(false)
  const confirmed = attempt.confirmEarly()
  expect(permit?.release).toHaveBeenCalledExactlyOnceWith('failed')
  next[0]?.(permitOf('second'))
  await confirmed
  attempt.release('ok')
  expect(permit?.release).toHaveBeenCalledOnce()
})

test('an attempt without a permit whose socket is not tracked: it acquires one before its token leaves', async () => {
  const { attempt, next } = setUp({ isMissing: true })
  const confirmed = attempt.confirmEarly()
  next[0]?.(permitOf('late'))
  await confirmed
  expect([attempt.isUsable, attempt.id]).toEqual([true, 'late'])
})

test('an attempt without a permit whose socket is tracked: its answer waits, and its token does not wait twice', async () => {
  const { attempt, acquireNext } = setUp({ isMissing: true })
  attempt.trackConnect()
  expect(attempt.confirmEarly()).toBeUndefined()
  expect(acquireNext).not.toHaveBeenCalled()
  void attempt.confirm()
  expect(acquireNext).toHaveBeenCalledOnce()
})

test('no rate limit: no socket is watched, and nothing is acquired', async () => {
  const set = setUp({ hasLimit: false })
  await fallSilent(set)
  expect([set.attempt.isUnanswered, set.attempt.isUsable]).toEqual([false, true])
  expect(set.attempt.confirm()).toBeUndefined()
  expect(set.addresses.isSuspect(KEY)).toBe(false)
})

describe('the end of an attempt that was not answered', () => {
  test('a fault: the permit goes back, and the address is suspect', () => {
    const { attempt, permit, addresses } = setUp()
    attempt.trackConnect()
    attempt.cancel({ isFault: true })
    expect(permit?.cancel).toHaveBeenCalledOnce()
    expect(addresses.isSuspect(KEY)).toBe(true)
  })

  test('before its socket was opened: the address is not suspect', () => {
    const { attempt, addresses } = setUp()
    attempt.cancel({ isFault: true })
    expect(addresses.isSuspect(KEY)).toBe(false)
    attempt.trackConnect()
    expect(attempt.isUnanswered).toBe(false)
  })

  test.each(['release', 'cancel'] as const)(
    '%s before its socket was opened: its room is free again',
    async (way) => {
      const { addresses, attempt } = setUp({ isMissing: true })
      const failed = { returnPermit: () => {} }
      addresses.begin(KEY, failed)
      addresses.ended(KEY, failed, true)
      vi.advanceTimersByTime(1_000)
      const enter = () => addresses.enter(KEY, LIMIT, { timeoutMs: 0, signals: [] })
      await enter()
      expect(await rejectionOf(enter())).toMatchObject({ code: 'ERR_AURORA_IAM_RATE_LIMITED' })
      if (way === 'release') attempt.release()
      else attempt.cancel()
      await enter()
    },
  )

  test('an attempt whose socket is open has used its room: it returns none', () => {
    const { addresses, attempt } = setUp({ isMissing: true })
    const leave = vi.spyOn(addresses, 'leave')
    attempt.trackConnect()
    attempt.release('failed')
    expect(leave).not.toHaveBeenCalled()
  })

  test('an attempt whose holder tracks no socket: it returns its room, also after an answer', () => {
    const { addresses, attempt } = setUp({ isMissing: true })
    const leave = vi.spyOn(addresses, 'leave')
    void attempt.confirm()?.catch(() => {})
    attempt.release('failed')
    expect(leave).toHaveBeenCalledExactlyOnceWith(KEY)
  })

  test('of an attempt with a permit: it has no room to return', async () => {
    const { addresses, attempt } = setUp()
    const leave = vi.spyOn(addresses, 'leave')
    attempt.release()
    expect(leave).not.toHaveBeenCalled()
  })
})
