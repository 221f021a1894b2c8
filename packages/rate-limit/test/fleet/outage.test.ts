import { expect, test } from 'vitest'
import { fleetStore } from '../../src/fleet/fleet-store.ts'
import type { Instant } from '../../src/fleet/leases.ts'
import { FleetOutage } from '../../src/fleet/outage.ts'
import { completeOptions } from '../../src/options.ts'
import type { OnStoreLost } from '../../src/store.ts'

const intervalMs = 250
const store = fleetStore({ step: async () => [] })
/** With the patience of 1000 ms and the round trip of 10 ms below. */
const proofMs = 2510
const opensAfterMs = 3500
const trustedForMs = 7500

function at(now: number, wallAheadMs = 0): Instant {
  return { now, wall: now + wallAheadMs }
}

function outage({ limit = 2, waitMs = 0, onStoreLost = 'share' as OnStoreLost } = {}): FleetOutage {
  const options = completeOptions({ limit: 5, intervalMs, store, onStoreLost })
  const details = { sent: at(0), limit, waitMs, patienceMs: 1000, roundTripMs: 10 }
  return new FleetOutage(options, new Error('It is lost.'), details)
}

/** Returns an outage that is proven: requests have failed from 0 to `lastMs`. */
function provenOutage(lastMs = proofMs, details: Parameters<typeof outage>[0] = {}): FleetOutage {
  const lost = outage(details)
  for (let sentAt = 0; sentAt < lastMs; sentAt += 1000) lost.confirm(at(sentAt))
  lost.confirm(at(lastMs))
  return lost
}

test('a silence of the store: proven by a failed request that was sent when the store counts it as an outage', () => {
  const lost = outage()
  expect(lost.proofDueAt).toBe(proofMs)
  lost.confirm(at(proofMs - 1))
  expect(lost.proofDueAt).toBe(proofMs)
  expect(lost.isOpen(at(opensAfterMs))).toBe(false)
  lost.confirm(at(proofMs))
  expect(lost.proofDueAt).toBeUndefined()
  expect(lost.isOpen(at(opensAfterMs - 1))).toBe(false)
  expect(lost.isOpen(at(opensAfterMs))).toBe(true)
})

test('permits of before may be in use for longer: degraded mode begins after them', () => {
  const lost = provenOutage(proofMs, { waitMs: 6000 })
  expect(lost.isOpen(at(5999))).toBe(false)
  expect(lost.isOpen(at(6000))).toBe(true)
  expect(lost.take(at(5000))).toBe(6000)
})

test('the last failed request is too old, on either clock: nothing may be used', () => {
  const lost = provenOutage(4000)
  expect(lost.isOpen(at(4000 + trustedForMs))).toBe(true)
  expect(lost.available(at(4000 + trustedForMs))).toBe(2)
  // The last one is after the wall clock was set back.
  for (const tooLate of [
    at(4001 + trustedForMs),
    at(4000 + trustedForMs, 1),
    at(4001 + trustedForMs, -1000),
  ]) {
    expect(lost.isOpen(tooLate)).toBe(false)
    expect(lost.available(tooLate)).toBe(0)
    expect(lost.take(tooLate)).toBe(Number.POSITIVE_INFINITY)
  }
})

test('a gap between two failed requests, on either clock: the store may have been back, and all begins again', () => {
  const gapMs = 5500
  for (const next of [at(4000 + gapMs), at(4000 + gapMs + 1), at(4000 + gapMs, 1)]) {
    const lost = provenOutage(4000)
    lost.confirm(next)
    const isGap = next.now > 4000 + gapMs || next.wall > 4000 + gapMs
    expect(lost.isOpen(next)).toBe(!isGap)
    expect(lost.proofDueAt).toBe(isGap ? next.now + proofMs : undefined)
  }
})

test('a process with a long patience: its gaps may be longer by it', () => {
  const options = completeOptions({ limit: 5, intervalMs, store })
  const details = { sent: at(0), limit: 2, waitMs: 0, patienceMs: 6000, roundTripMs: 2500 }
  const lost = new FleetOutage(options, new Error('It is lost.'), details)
  lost.confirm(at(6500))
  expect(lost.proofDueAt).toBeUndefined()
  lost.confirm(at(13_001))
  expect(lost.proofDueAt).toBe(13_001 + 5000)
})

test('the failure of an earlier request is found later: it proves nothing new', () => {
  const lost = provenOutage(4000)
  lost.confirm(at(1000))
  expect(lost.isOpen(at(4000 + trustedForMs))).toBe(true)
})

test('attempts without the store: as many as the share, and the next an interval after an outcome', () => {
  const lost = provenOutage()
  const now = opensAfterMs
  const [one, other] = [lost.take(at(now)), lost.take(at(now))]
  if (typeof one === 'number' || typeof other === 'number') throw new Error('Refused.')
  expect(lost.attempts.size).toBe(2)
  expect(lost.take(at(now))).toBe(Number.POSITIVE_INFINITY)
  lost.end(one, 'ok', now + 100, now)
  expect(lost.take(at(now + 100))).toBe(now + 100 + intervalMs + 2)
  // One that was not used is free at once.
  lost.end(other, 'cancelled', now + 100, now)
  expect(lost.attempts.size).toBe(0)
  expect(lost.available(at(now + 100 + intervalMs + 1))).toBe(1)
  expect(lost.available(at(now + 100 + intervalMs + 2))).toBe(2)
})

test('a throttled attempt without the store: half of the share, until it has grown back', () => {
  const lost = provenOutage()
  const now = opensAfterMs
  const attempt = lost.take(at(now))
  if (typeof attempt === 'number') throw new Error('Refused.')
  lost.end(attempt, 'throttled', now + 10, now)
  const freeAt = now + 10 + intervalMs + 2
  expect(lost.take(at(now + 10))).toBe(freeAt)
  expect(typeof lost.take(at(freeAt))).toBe('object')
  // The limit grows a second after it was cut.
  expect(lost.take(at(freeAt))).toBe(now + 1010)
  expect(lost.available(at(now + 1010))).toBe(1)
})

test('a process without a share, or one that the store replies to again: nothing may be used, and no proof is needed', () => {
  const without = provenOutage(proofMs, { limit: 0 })
  expect(without.proofDueAt).toBeUndefined()
  expect(without.available(at(opensAfterMs))).toBe(0)
  expect(without.take(at(0))).toBe(Number.POSITIVE_INFINITY)
  expect(without.take(at(opensAfterMs))).toBe(Number.POSITIVE_INFINITY)
  expect(outage({ limit: 0 }).proofDueAt).toBeUndefined()
  const returning = provenOutage()
  returning.isReturning = true
  expect(returning.available(at(opensAfterMs))).toBe(0)
  expect(returning.take(at(0))).toBe(Number.POSITIVE_INFINITY)
  expect(returning.take(at(opensAfterMs))).toBe(Number.POSITIVE_INFINITY)
})

test('fail-open: the limit is in use at once, and needs no proof', () => {
  const lost = outage({ limit: 5, onStoreLost: 'fail-open', waitMs: 6000 })
  expect(lost.proofDueAt).toBeUndefined()
  expect(lost.available(at(0))).toBe(5)
})
