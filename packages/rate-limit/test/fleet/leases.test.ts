import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { FleetLeases, type Instant } from '../../src/fleet/leases.ts'
import type { StoreReply } from '../../src/fleet/store-reply.ts'

const leaseMs = 500

let wall = 0

beforeEach(() => {
  wall = 0
  vi.spyOn(Date, 'now').mockImplementation(() => wall)
})

afterEach(() => {
  vi.restoreAllMocks()
})

function at(now: number): Instant {
  return { now, wall: now }
}

/** Updates the leases by a reply, 10 ms after its request: permits, and how long until each may be used. */
function update(
  leases: FleetLeases,
  sentAt: number,
  ...held: (readonly [id: number, waitMs: number])[]
): void {
  const reply = { held: held.map(([id, waitMs]) => ({ id, waitMs })) } as unknown as StoreReply
  leases.update(reply, leaseMs, at(sentAt), sentAt + 10)
}

/** Returns the number of the permit that is ready, or the instant at which one is. */
function ready(leases: FleetLeases, now: number): string | number {
  const lease = leases.ready(now)
  return typeof lease === 'number' ? lease : `permit ${lease.id}`
}

function take(leases: FleetLeases, now: number) {
  const lease = leases.ready(now)
  if (typeof lease === 'number') throw new Error('No permit is ready.')
  lease.stage = 'inFlight'
  return lease
}

test('a permit: usable from the receipt of the reply and its wait on, until shortly before its lease ends', () => {
  const leases = new FleetLeases()
  expect(ready(leases, 0)).toBe(Number.POSITIVE_INFINITY)
  update(leases, 100, [1, 20])
  expect([0, 129, 130].map((now) => ready(leases, now))).toEqual([130, 130, 'permit 1'])
  // The lease begins when the request was sent, and ends 50 ms early.
  expect(ready(leases, 569)).toBe('permit 1')
  expect(leases.readyCount(569)).toBe(1)
  expect(ready(leases, 570)).toBe(Number.POSITIVE_INFINITY)
  expect(leases.readyCount(570)).toBe(0)
})

test('a machine that was frozen, which its wall clock alone shows: the permit has lapsed', () => {
  const leases = new FleetLeases()
  update(leases, 100, [1, 20])
  wall = 569
  expect(ready(leases, 200)).toBe('permit 1')
  wall = 570
  expect(ready(leases, 200)).toBe(Number.POSITIVE_INFINITY)
})

test('several permits: the one that may be used first is first', () => {
  const leases = new FleetLeases()
  update(leases, 100, [1, 80], [2, 20], [3, 50])
  expect(ready(leases, 100)).toBe(130)
  expect(take(leases, 500).id).toBe(2)
  expect(take(leases, 500).id).toBe(3)
  expect(take(leases, 500).id).toBe(1)
  expect(ready(leases, 500)).toBe(Number.POSITIVE_INFINITY)
})

test('more permits than requests: those of the latest use go back, and the rest stay', () => {
  const leases = new FleetLeases()
  update(leases, 100, [1, 80], [2, 20], [3, 50])
  leases.releaseExcess(3)
  expect(leases.hasReports).toBe(false)
  leases.releaseExcess(1)
  expect(leases.hasReports).toBe(true)
  expect(leases.report(200)).toEqual({ settled: [], cancelled: expect.arrayContaining([1, 3]) })
  expect(leases.readyCount(200)).toBe(1)
  expect(ready(leases, 200)).toBe('permit 2')
})

test('what ended: reported with its age, until the store has received it', () => {
  const leases = new FleetLeases()
  update(leases, 100, [1, 0], [2, 0], [3, 0], [4, 0])
  const [one, two, three, four] = [1, 2, 3, 4].map(() => take(leases, 200))
  one!.stage = 'ended'
  one!.outcome = { at: 250.5, throttled: false }
  two!.stage = 'ended'
  two!.outcome = { at: 300, throttled: true }
  three!.stage = 'ended'
  const report = leases.report(280)
  expect(report).toEqual({
    settled: [
      [1, 29, 0],
      [2, 0, 1],
    ],
    cancelled: [3],
  })
  // The next reply lists it still, or no more: neither makes it ready.
  update(leases, 290, [1, 0], [4, 0])
  expect(leases.readyCount(300)).toBe(0)
  expect(leases.report(280)).toEqual(report)
  leases.acknowledge(report)
  expect(leases.hasReports).toBe(false)
  expect(leases.report(280)).toEqual({ settled: [], cancelled: [] })
  expect(four!.stage).toBe('inFlight')
})

test('a reply that lists a permit again: its lease goes on, and it may be used no later than before', () => {
  const leases = new FleetLeases()
  update(leases, 100, [1, 0])
  update(leases, 300, [1, 40])
  expect(ready(leases, 200)).toBe('permit 1')
  const lease = take(leases, 300)
  expect(lease.validUntil).toEqual(at(300 + 40 + 450))
  update(leases, 400, [1, 0])
  expect(lease).toMatchObject({ stage: 'inFlight', validUntil: at(850) })
  update(leases, 500, [2, 60])
  update(leases, 510, [2, 20])
  expect(ready(leases, 510)).toBe(540)
})

test('a reply that does not list a permit: one in flight has lapsed, and one that was not used is forgotten', () => {
  const leases = new FleetLeases()
  update(leases, 100, [1, 0], [2, 0])
  const lease = take(leases, 200)
  update(leases, 250)
  // Nothing is left to return.
  leases.releaseExcess(0)
  expect(leases.hasReports).toBe(false)
  expect(lease.validUntil).toEqual({ now: Number.NEGATIVE_INFINITY, wall: Number.NEGATIVE_INFINITY })
  expect(ready(leases, 260)).toBe(Number.POSITIVE_INFINITY)
  expect(leases.dueAt(leaseMs)).toBe(Number.POSITIVE_INFINITY)
  // It is in use all the same, and is reported when it ends.
  lease.stage = 'ended'
  lease.outcome = { at: 300, throttled: false }
  expect(leases.report(310).settled).toEqual([[1, 10, 0]])
})

test('an attempt that was made without the store: covered once the store has given it a permit', () => {
  const leases = new FleetLeases()
  const lease = leases.adopt(7, at(100), 'inFlight')
  expect(lease).toEqual({ id: 7, usableAt: 100, validUntil: at(100), stage: 'inFlight', outcome: undefined })
  update(leases, 100, [7, 0])
  expect(lease.validUntil).toEqual(at(550))
  leases.adopt(8, at(100), 'ended')
  expect(leases.report(200).cancelled).toEqual([8])
})

test('the next report: half a lease before a permit in use lapses, soon after an outcome, at once after the last', () => {
  const leases = new FleetLeases()
  expect(leases.dueAt(leaseMs)).toBe(Number.POSITIVE_INFINITY)
  update(leases, 100, [1, 0], [2, 30], [3, 0])
  expect(leases.dueAt(leaseMs)).toBe(Number.POSITIVE_INFINITY)
  const [one, three, two] = [take(leases, 200), take(leases, 200), take(leases, 200)]
  expect(leases.dueAt(leaseMs)).toBe(550 - 250)
  one.stage = 'ended'
  one.outcome = { at: 150, throttled: false }
  expect(leases.dueAt(leaseMs)).toBe(250)
  three.stage = 'ended'
  three.outcome = { at: 120, throttled: false }
  expect(leases.dueAt(leaseMs)).toBe(220)
  two.stage = 'ended'
  two.outcome = { at: 240, throttled: false }
  expect(leases.dueAt(leaseMs)).toBe(0)
})

test('a permit that was not used: it goes back at once, whatever is under way', () => {
  const leases = new FleetLeases()
  update(leases, 100, [1, 0], [2, 0])
  take(leases, 200)
  take(leases, 200).stage = 'ended'
  expect(leases.dueAt(leaseMs)).toBe(Number.NEGATIVE_INFINITY)
})
