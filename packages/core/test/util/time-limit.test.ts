import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { startTimeLimit } from '../../src/adapter.ts'
import { LONGEST_TIMER_MS } from '../../src/timings.ts'
import { setUp } from '../set-up.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

describe('on a moved clock', () => {
  const start = (limitMs: number) => {
    useMovedClock('setTimeout', 'setImmediate')
    const onTimeout = vi.fn()
    return { onTimeout, stop: startTimeLimit(limitMs, onTimeout) }
  }

  test('a limit beyond the longest timer of Node: it runs to its end, and not at once', () => {
    const limitMs = 2 * LONGEST_TIMER_MS + 1000
    const { onTimeout } = start(limitMs)
    vi.advanceTimersByTime(limitMs - 1)
    expect(onTimeout).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
    expect(onTimeout).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('0: no timer', () => {
    start(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('stopped: no call, no timer', () => {
    const { onTimeout, stop } = start(100)
    stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.advanceTimersByTime(1000)
    expect(onTimeout).not.toHaveBeenCalled()
  })
})

test('stopped after its timer ran, before the sockets are read: no call, no timer', async () => {
  useMovedClock('setTimeout')
  const onTimeout = vi.fn()
  const stop = startTimeLimit(100, onTimeout)
  vi.advanceTimersByTime(100)
  stop()
  await new Promise(setImmediate)
  expect(onTimeout).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})

test.each([
  ['on time', 0, 0],
  ['less than 1 ms early, as Node’s timers may', -0.9, 0],
  ['1 ms early', -1, 1],
  ['249 ms late, on a busy machine', 249, 0],
  ['250 ms late: the process was blocked', 250, 250],
  ['later than the limit is long', 5_000, 1_000],
])(
  'a limit of 1 s whose timer runs %s: %d ms late, %d ms are given again',
  async (_what, lateMs, givenMs) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const clock = vi.spyOn(process, 'hrtime').mockReturnValue([0, 0])
    const onTimeout = vi.fn()
    startTimeLimit(1_000, onTimeout)
    /** Runs the timers of the next `ms`, at `nowMs` on the monotonic clock, and what those leave for later. */
    const advance = (ms: number, nowMs: number) => {
      clock.mockReturnValue([0, nowMs * 1e6])
      vi.advanceTimersByTime(ms)
      return new Promise(setImmediate)
    }
    const endsAt = 1_000 + lateMs + givenMs
    await advance(1_000, 1_000 + lateMs)
    if (givenMs > 0) {
      await advance(givenMs - 1, endsAt)
      expect(onTimeout).not.toHaveBeenCalled()
      await advance(1, endsAt)
    }
    expect(onTimeout).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  },
)

test('a loop that was blocked for longer than the limit: what lies in the socket is read first', async () => {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [[peer]] = (await Promise.all([once(server, 'connection'), once(socket, 'connect')])) as [
    [Socket],
    unknown,
  ]
  const events: string[] = []
  const limit = new Promise<void>((resolve) => {
    const stop = startTimeLimit(20, () => {
      events.push('timeout')
      resolve()
    })
    socket.once('data', () => {
      events.push('data')
      stop()
      resolve()
    })
  })
  peer.write('answer')
  const endsAt = performance.now() + 300
  while (performance.now() < endsAt);
  await limit
  expect(events).toEqual(['data'])
  socket.destroy()
  peer.destroy()
  server.close()
})

test.each([
  ['the longest maxWaitMs', { maxWaitMs: LONGEST_TIMER_MS }, 10_000],
  ['connectTimeout 1e12', {}, 1e12],
])('%s: the time limit of the driver is the longest timer of Node', (_title, options, connectTimeoutMs) => {
  expect(setUp(options).iam.driverTimeoutMs(connectTimeoutMs)).toBe(LONGEST_TIMER_MS)
})

test('connectTimeout 0: the driver has no limit', () => {
  expect(setUp().iam.driverTimeoutMs(0)).toBe(0)
})

test('no tcpTimeoutMs: 3 seconds', () => {
  expect(setUp().iam.tcpTimeoutMs).toBe(3000)
})
