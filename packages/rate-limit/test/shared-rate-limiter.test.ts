import { recordEvents } from '@aurora-iam/test-support/record-events'
import { expect, test } from 'vitest'
import { fleetStore, sharedRateLimiter } from '../src/index.ts'
import { SimulatedClock } from './simulated-clock.ts'

test('all callers of a key: they share its permits and its queue', async () => {
  const clock = new SimulatedClock()
  const first = sharedRateLimiter('together', { limit: 2, clock })
  const second = sharedRateLimiter('together', { limit: 2, clock })
  const other = sharedRateLimiter('alone', { limit: 2, clock })
  const permits = [await first.acquire(), await second.acquire()]
  const order: string[] = []
  const waiting = [
    first.acquire().then(() => order.push('first')),
    second.acquire().then(() => order.push('second')),
  ]
  expect(first.stats()).toEqual(second.stats())
  expect(first.stats()).toMatchObject({ waiting: 2, inFlight: 2 })
  expect(other.stats()).toMatchObject({ waiting: 0, available: 2 })
  for (const permit of permits) permit.release()
  await clock.runOut()
  await Promise.all(waiting)
  expect(order).toEqual(['first', 'second'])
})

test('two limits: the smaller holds, and the difference is reported', () => {
  const lowered = recordEvents('aurora-iam:rate-limit:lowered')
  const first = sharedRateLimiter('limits', { limit: 20 })
  const second = sharedRateLimiter('limits', { limit: 10 })
  const third = sharedRateLimiter('limits', { limit: 200 })
  expect([first.limit, second.limit, third.limit]).toEqual([10, 10, 10])
  expect(lowered).toEqual([{ key: 'limits', from: 20, to: 10 }])
})

test('several callers with their own maxWaitMs: each waits as long as it named', async () => {
  const clock = new SimulatedClock()
  const patient = sharedRateLimiter('waits', { limit: 1, clock })
  const hasty = sharedRateLimiter('waits', { limit: 1, maxWaitMs: 100, clock })
  await patient.acquire()
  const requests = [patient.acquire(), hasty.acquire()]
  const ended = Promise.allSettled(requests)
  await clock.advance(100)
  await expect(requests[1]).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_TIMEOUT' })
  expect(patient.stats().waiting).toBe(1)
  patient.close()
  await ended
})

test('close() of one limiter: only the requests made through it end', async () => {
  const clock = new SimulatedClock()
  const closing = sharedRateLimiter('closing', { limit: 1, clock })
  const staying = sharedRateLimiter('closing', { limit: 1, clock })
  const permit = await closing.acquire()
  const requests = [closing.acquire(), staying.acquire()] as const
  closing.close()
  await expect(requests[0]).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_CLOSED' })
  await expect(closing.acquire()).rejects.toMatchObject({ code: 'ERR_RATE_LIMIT_CLOSED' })
  permit.release()
  await clock.runOut()
  await expect(requests[1]).resolves.toBeDefined()
})

test('a key whose handles are all closed: starts again, but not before its last attempts have aged', async () => {
  const clock = new SimulatedClock()
  const before = sharedRateLimiter('reload', { limit: 2, clock })
  ;(await before.acquire()).release()
  before.close()

  const early = sharedRateLimiter('reload', { limit: 2, clock })
  expect(early.stats()).toMatchObject({ granted: 1, available: 1 })
  early.close()
  await clock.advance(1002)

  const anew = sharedRateLimiter('reload', { limit: 50, intervalMs: 100, clock })
  expect(anew.stats()).toMatchObject({ granted: 0, limit: 50, intervalMs: 100 })
  await expect(anew.acquire()).resolves.toBeDefined()
})

test('another interval, or a dry run beside a real limit: refused', () => {
  sharedRateLimiter('conflict', { limit: 2 })
  expect(() => sharedRateLimiter('conflict', { limit: 2, intervalMs: 500 })).toThrow(
    'Expected `intervalMs` to be 1000, as for others who share the key "conflict", but it is 500.',
  )
  expect(() => sharedRateLimiter('conflict', { limit: 2, dryRun: true })).toThrow(
    expect.objectContaining({ option: 'dryRun' }),
  )
})

test('an empty key: refused', () => {
  expect(() => sharedRateLimiter('', { limit: 2 })).toThrow(expect.objectContaining({ option: 'key' }))
})

test('a store that some callers of a key give and others do not: refused', () => {
  const store = fleetStore({ step: async () => [] })
  sharedRateLimiter('mixed', { limit: 2, store })
  expect(() => sharedRateLimiter('mixed', { limit: 2 })).toThrow(
    'Expected `store` to be given by all or none of those who share the key "mixed", but it is undefined.',
  )
  expect(sharedRateLimiter('mixed', { limit: 2, store }).limit).toBe(2)
  sharedRateLimiter('plain', { limit: 2 })
  expect(() => sharedRateLimiter('plain', { limit: 2, store })).toThrow(
    expect.objectContaining({ option: 'store' }),
  )
})

test.each([5, null, undefined, {}])('the key %o: refused', (key) => {
  expect(() => sharedRateLimiter(key as never, { limit: 2 })).toThrow(
    expect.objectContaining({ option: 'key' }),
  )
})

test('a key with one limiter that is open: it is not forgotten, however long it is idle', async () => {
  const clock = new SimulatedClock()
  const open = sharedRateLimiter('kept', { limit: 2, clock })
  ;(await open.acquire()).release()
  const closed = sharedRateLimiter('kept', { limit: 2, clock })
  closed.close()
  closed.close()
  await clock.advance(100_000)
  expect(sharedRateLimiter('kept', { limit: 2, clock }).stats().granted).toBe(1)
})
