import { monotonicMs } from '@aurora-iam/core/adapter'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import type { Connection } from 'mariadb'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { PooledConnection } from '../../src/pool/pooled-connection.ts'

beforeEach(() => {
  useMovedClock('setTimeout')
})
afterEach(() => {
  vi.useRealTimers()
})

/** Pools a connection with these methods. */
function poolOf(methods: object) {
  const destroy = vi.fn()
  const connection = { isValid: () => true, ...methods } as unknown as Connection
  const rest = { destroy, remoteAddress: () => '127.0.0.1', networkError: () => undefined }
  return { pooled: new PooledConnection({ connection, ...rest }), destroy }
}

test('a server that does not take COM_QUIT: the connection is destroyed after a second', async () => {
  const { pooled, destroy } = poolOf({ end: () => new Promise(() => {}) })
  void pooled.close()
  await vi.advanceTimersByTimeAsync(999)
  expect([destroy.mock.calls.length, pooled.isUsable]).toEqual([0, false])
  await vi.advanceTimersByTimeAsync(1)
  expect(destroy).toHaveBeenCalledTimes(1)
})

test.each([
  ['is taken', () => Promise.resolve()],
  ['fails', () => Promise.reject(new Error('closed'))],
])('a COM_QUIT that %s: the connection is destroyed, and no timer is left', async (_what, end) => {
  const { pooled, destroy } = poolOf({ end })
  await pooled.close()
  expect([destroy.mock.calls.length, vi.getTimerCount()]).toEqual([1, 0])
})

test('a connection that is looked at before it is handed out: pinged unless it was used lately', async () => {
  const ping = vi.fn(() => Promise.resolve())
  const { pooled } = poolOf({ ping })
  expect(await pooled.validate(Number.NEGATIVE_INFINITY)).toBe(true)
  expect(ping).not.toHaveBeenCalled()
  expect(await pooled.validate(monotonicMs())).toBe(true)
  expect(ping.mock.calls).toEqual([[1_000]])
  ping.mockReturnValue(Promise.reject(new Error('no answer')))
  expect(await pooled.validate(monotonicMs())).toBe(false)
  pooled.markBroken()
  expect(await pooled.validate(Number.NEGATIVE_INFINITY)).toBe(false)
  expect(ping).toHaveBeenCalledTimes(2)
})
