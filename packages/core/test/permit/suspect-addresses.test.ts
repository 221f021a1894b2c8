import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { SuspectAddresses } from '../../src/permit/suspect-addresses.ts'
import { monotonicMs } from '../../src/util/monotonic-ms.ts'

const HERE = 'db.test:3306'
const ELSEWHERE = 'other.test:3306'
const LIMIT = { limit: 2, intervalMs: 1_000 }

beforeEach(() => {
  useMovedClock('setTimeout')
})
afterEach(() => {
  vi.useRealTimers()
})

/** Moves the clock, and lets happen what follows from it. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  await new Promise(setImmediate)
}

const attempt = () => ({ returnPermit: vi.fn() })

function setUp() {
  const addresses = new SuspectAddresses()
  const begin = (address = HERE) => {
    const one = attempt()
    addresses.begin(address, one)
    return one
  }
  /** Makes the address suspect. No attempt is left there. */
  const suspect = (address = HERE) => addresses.ended(address, begin(address), true)
  const enter = (timeoutMs = 60_000, signals: AbortSignal[] = []) => {
    const state = { hasEntered: false }
    const entered = addresses.enter(HERE, LIMIT, { timeoutMs, signals }).then(() => {
      state.hasEntered = true
    })
    // The caller may look at it later.
    entered.catch(() => {})
    return { state, entered }
  }
  /** Makes the address suspect, and lets it answer an attempt. Another one has room, and has not begun. */
  const leaveRoom = async () => {
    suspect()
    await pass(1_000)
    await enter().entered
    const answered = begin()
    await enter().entered
    addresses.answered(HERE, answered)
  }
  return { addresses, begin, suspect, enter, leaveRoom }
}

describe('an address that sends nothing', () => {
  test('for half a second: the permits of all its attempts go back, and it is suspect', async () => {
    const { addresses, begin } = setUp()
    const first = begin()
    await pass(300)
    const second = begin()
    await pass(199)
    expect(first.returnPermit).not.toHaveBeenCalled()
    expect(addresses.isSuspect(HERE)).toBe(false)
    await pass(1)
    for (const { returnPermit } of [first, second]) expect(returnPermit).toHaveBeenCalledOnce()
    expect(addresses.isSuspect(HERE)).toBe(true)
  })

  test('beside one that answers: the permits of that one stay', async () => {
    const { addresses, begin } = setUp()
    const silent = begin()
    await pass(400)
    const waiting = begin(ELSEWHERE)
    await pass(100)
    expect(silent.returnPermit).toHaveBeenCalledOnce()
    expect(waiting.returnPermit).not.toHaveBeenCalled()
    addresses.answered(ELSEWHERE, waiting)
    await pass(10_000)
    expect(waiting.returnPermit).not.toHaveBeenCalled()
    expect(addresses.isSuspect(ELSEWHERE)).toBe(false)
  })

  test('to a second attempt, after it answered the first: half a second counts from when that began', async () => {
    const { addresses, begin } = setUp()
    const first = begin()
    await pass(400)
    const second = begin()
    addresses.answered(HERE, first)
    await pass(499)
    expect(second.returnPermit).not.toHaveBeenCalled()
    await pass(1)
    expect(second.returnPermit).toHaveBeenCalledOnce()
    expect(first.returnPermit).not.toHaveBeenCalled()
  })

  test('after a pause without attempts: it is watched again', async () => {
    const { addresses, begin } = setUp()
    addresses.answered(HERE, begin())
    await pass(10_000)
    const { returnPermit } = begin()
    await pass(500)
    expect(returnPermit).toHaveBeenCalledOnce()
  })

  test('in the instant of a look at another address: it is watched', async () => {
    const { begin } = setUp()
    begin(ELSEWHERE)
    vi.advanceTimersByTime(500)
    const { returnPermit } = begin()
    await pass(0)
    await pass(500)
    expect(returnPermit).toHaveBeenCalledOnce()
  })

  test('beside one that began later: each is looked at when its half a second is over, and at no other time', async () => {
    const { begin } = setUp()
    const nextLook = async () => {
      vi.advanceTimersToNextTimer()
      await new Promise(setImmediate)
      return monotonicMs()
    }
    const startedAt = monotonicMs()
    begin()
    await pass(200)
    begin(ELSEWHERE)
    expect([await nextLook(), await nextLook()].map((at) => at - startedAt)).toEqual([500, 700])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('many attempts: one timer at a time, for the oldest', async () => {
    const { addresses, begin } = setUp()
    const first = begin()
    await pass(250)
    const others = Array.from({ length: 9 }, () => begin())
    await pass(249)
    expect(vi.getTimerCount()).toBe(1)
    addresses.answered(HERE, first)
    await pass(250)
    expect(vi.getTimerCount()).toBe(1)
    expect(others[0]?.returnPermit).not.toHaveBeenCalled()
    await pass(1)
    expect(others[0]?.returnPermit).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('beside one that has room to open, and nothing open: it is watched all the same', async () => {
    const { begin, leaveRoom } = setUp()
    await leaveRoom()
    await pass(300)
    const silent = begin(ELSEWHERE)
    await pass(500)
    expect(silent.returnPermit).toHaveBeenCalledOnce()
  })

  test('beside two others: each is watched for half a second from its own begin', async () => {
    const { addresses, begin } = setUp()
    const answered = begin('third.test:3306')
    const attempts: Array<ReturnType<typeof begin>> = []
    for (const address of [HERE, ELSEWHERE]) {
      await pass(200)
      attempts.push(begin(address))
    }
    addresses.answered('third.test:3306', answered)
    const returned = () => attempts.map(({ returnPermit }) => returnPermit.mock.calls.length)
    await pass(299)
    expect(returned()).toEqual([0, 0])
    await pass(1)
    expect(returned()).toEqual([1, 0])
    await pass(200)
    expect(returned()).toEqual([1, 1])
  })

  test('when it is suspect already: the permit of a new attempt goes back at once, and once', async () => {
    const { begin, suspect } = setUp()
    suspect()
    const { returnPermit } = begin()
    expect(returnPermit).toHaveBeenCalledOnce()
    await pass(1_000)
    expect(returnPermit).toHaveBeenCalledOnce()
  })
})

describe('the end of an attempt that received nothing', () => {
  test('a fault: the address is suspect, and the permits of the others go back', () => {
    const { addresses, begin } = setUp()
    const [failed, waiting] = [begin(), begin()]
    addresses.ended(HERE, failed, true)
    expect(addresses.isSuspect(HERE)).toBe(true)
    expect(waiting.returnPermit).toHaveBeenCalledOnce()
    expect(failed.returnPermit).not.toHaveBeenCalled()
  })

  test('cancelled by the caller: it shows nothing about the address', () => {
    const { addresses, begin } = setUp()
    const [cancelled, waiting] = [begin(), begin()]
    addresses.ended(HERE, cancelled, false)
    expect(addresses.isSuspect(HERE)).toBe(false)
    expect(waiting.returnPermit).not.toHaveBeenCalled()
  })

  test('reported after it was answered: nothing changes', () => {
    const { addresses, begin } = setUp()
    const one = begin()
    begin()
    addresses.answered(HERE, one)
    addresses.ended(HERE, one, true)
    expect(addresses.isSuspect(HERE)).toBe(false)
    addresses.ended(ELSEWHERE, one, true)
    expect(addresses.isSuspect(ELSEWHERE)).toBe(false)
    addresses.answered(ELSEWHERE, one)
    expect(addresses.isSuspect(ELSEWHERE)).toBe(false)
  })
})

test('a suspect address that answers one attempt: it is suspect no more', () => {
  const { addresses, begin, suspect } = setUp()
  suspect()
  addresses.answered(HERE, begin())
  expect(addresses.isSuspect(HERE)).toBe(false)
  expect(begin().returnPermit).not.toHaveBeenCalled()
})

test('a suspect address without attempts: it is forgotten after a minute, once another is dialled', async () => {
  const { addresses, begin, suspect } = setUp()
  await pass(30_000)
  suspect()
  await pass(60_000)
  begin(ELSEWHERE)
  expect(addresses.isSuspect(HERE)).toBe(true)
  await pass(1)
  begin('third.test:3306')
  expect(addresses.isSuspect(HERE)).toBe(false)
})

test('a suspect address where an attempt waits: it is not forgotten', async () => {
  const { addresses, begin, suspect } = setUp()
  suspect()
  begin()
  await pass(120_000)
  begin(ELSEWHERE)
  expect(addresses.isSuspect(HERE)).toBe(true)
})

test('a suspect address where an attempt has room, and another waits for it: it is not forgotten', async () => {
  const { addresses, begin, suspect } = setUp()
  const enter = () =>
    addresses.enter(HERE, { limit: 1, intervalMs: 200_000 }, { timeoutMs: 600_000, signals: [] })
  suspect()
  await enter()
  await pass(60_001)
  begin(ELSEWHERE)
  expect(addresses.isSuspect(HERE)).toBe(true)
  addresses.ended(HERE, begin(), true)
  const waiting = enter()
  await pass(60_001)
  begin('third.test:3306')
  expect(addresses.isSuspect(HERE)).toBe(true)
  await pass(200_000)
  await waiting
})

test('an address that answers and then fails again: the sockets of before take no room', async () => {
  const { addresses, begin, suspect, enter } = setUp()
  suspect()
  const answered = begin()
  addresses.answered(HERE, answered)
  suspect()
  await Promise.all([enter().entered, enter().entered])
})

describe('room at a suspect address', () => {
  test('an address that is not suspect: every attempt may open a socket', async () => {
    const { enter } = setUp()
    for (let count = 0; count < 5; count++) await enter().entered
  })

  test('sockets at once: as many as the limit, and the next enters when one ends, an interval after the first', async () => {
    const { addresses, begin, suspect, enter } = setUp()
    suspect()
    // What made it suspect has begun before, and counts no more.
    await pass(1_000)
    await Promise.all([enter().entered, enter().entered])
    const [first, second] = [begin(), begin()]
    const third = enter()
    await pass(5_000)
    expect(third.state.hasEntered).toBe(false)
    addresses.ended(HERE, first, true)
    await pass(0)
    expect(third.state.hasEntered).toBe(true)
    expect(second.returnPermit).toHaveBeenCalled()
  })

  test('sockets in an interval: as many as the limit, however soon they end', async () => {
    const { addresses, begin, suspect, enter } = setUp()
    suspect()
    await pass(1_000)
    for (let count = 0; count < 2; count++) {
      await enter().entered
      addresses.ended(HERE, begin(), true)
    }
    const third = enter()
    await pass(999)
    expect(third.state.hasEntered).toBe(false)
    await pass(1)
    expect(third.state.hasEntered).toBe(true)
  })

  test('several intervals: in each as many sockets as the limit', async () => {
    const { addresses, begin, suspect, enter } = setUp()
    suspect()
    await pass(1_000)
    const calls = Array.from({ length: 7 }, () => enter())
    const entered = () => calls.filter(({ state }) => state.hasEntered).length
    const perInterval: number[] = []
    for (let interval = 0; interval < 3; interval++) {
      // Each socket ends at once, so that only the interval is a limit.
      await pass(0)
      for (let count = 0; count < 2; count++) addresses.ended(HERE, begin(), true)
      await pass(0)
      perInterval.push(entered())
      await pass(1_000)
    }
    expect(perInterval).toEqual([2, 4, 6])
  })

  test('room that was given before an answer: it still counts when the address fails again', async () => {
    const { addresses, begin, suspect, enter, leaveRoom } = setUp()
    await leaveRoom()
    suspect()
    await enter().entered
    const third = enter()
    await pass(5_000)
    expect(third.state.hasEntered).toBe(false)
    addresses.ended(HERE, begin(), true)
    await pass(5_000)
    expect(third.state.hasEntered).toBe(true)
  })

  test('room that was given and not used: it goes to those that wait, the oldest first', async () => {
    const { addresses, suspect, enter } = setUp()
    suspect()
    await pass(1_000)
    await Promise.all([enter().entered, enter().entered])
    const [third, fourth] = [enter(), enter()]
    await pass(5_000)
    addresses.leave(HERE)
    await pass(0)
    expect([third, fourth].map(({ state }) => state.hasEntered)).toEqual([true, false])
    addresses.leave(HERE)
    await pass(0)
    expect(fourth.state.hasEntered).toBe(true)
    // There is no more to return than was given.
    for (let count = 0; count < 5; count++) addresses.leave(HERE)
    await pass(1_000)
    await Promise.all([enter().entered, enter().entered])
    const fifth = enter()
    await pass(5_000)
    expect(fifth.state.hasEntered).toBe(false)
  })

  test('an answer to one attempt: all that wait may open a socket', async () => {
    const { addresses, begin, suspect, enter } = setUp()
    suspect()
    const waiting = begin()
    begin()
    const calls = Array.from({ length: 5 }, () => enter())
    await pass(0)
    expect(calls.some(({ state }) => state.hasEntered)).toBe(false)
    addresses.answered(HERE, waiting)
    await Promise.all(calls.map(({ entered }) => entered))
  })

  test('no room in time: RATE_LIMITED, and no timer is left', async () => {
    const { begin, suspect, enter } = setUp()
    suspect()
    begin()
    begin()
    const { entered } = enter(5_000)
    const outcome = rejectionOf(entered)
    let isOver = false
    void outcome.then(() => {
      isOver = true
    })
    await pass(4_999)
    expect(isOver).toBe(false)
    await pass(1)
    expect(await outcome).toMatchObject({
      code: 'ERR_AURORA_IAM_RATE_LIMITED',
      option: 'maxWaitMs',
      message: expect.stringMatching(/db\.test:3306 within 5000 ms.*up to 2 attempts/),
    })
    expect(vi.getTimerCount()).toBe(0)
  })

  test('an aborted signal: its reason at once, before and during the wait', async () => {
    const { begin, suspect, enter } = setUp()
    suspect()
    begin()
    begin()
    const controller = new AbortController()
    const outcome = rejectionOf(enter(60_000, [controller.signal]).entered)
    controller.abort(new Error('closed'))
    expect(await outcome).toMatchObject({ message: 'closed' })
    expect(await rejectionOf(enter(60_000, [controller.signal]).entered)).toMatchObject({ message: 'closed' })
    await pass(500)
    expect(vi.getTimerCount()).toBe(0)
  })
})
