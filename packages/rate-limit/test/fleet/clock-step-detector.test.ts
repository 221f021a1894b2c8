import { expect, test } from 'vitest'
import { ClockStepDetector } from '../../src/fleet/clock-step-detector.ts'
import type { Instant } from '../../src/fleet/leases.ts'
import type { StoreReply } from '../../src/fleet/store-reply.ts'

/** Returns an instant at which both clocks here show the same, or the wall clock `aheadMs` more. */
function at(now: number, aheadMs = 0): Instant {
  return { now: 7000 + now, wall: 90_000 + now + aheadMs }
}

function reply(now: number, born = 1): StoreReply {
  return { born, now } as StoreReply
}

/** Returns a detector that has seen one reply, of the store's instant 10,000, under way from 0 to 10. */
function detector(): ClockStepDetector {
  const steps = new ClockStepDetector()
  expect(steps.hasStepped(reply(10_000), at(0), at(10))).toBe(false)
  return steps
}

test.each([
  // From 100 to 120 ms have passed, and 30 ms and a thousandth are within the variation of the network.
  [10_070, false],
  [10_069, true],
  [10_150, false],
  [10_151, true],
  [5_000, true],
  [70_000, true],
])('the store shows %d after about 110 ms: a step of its clock is %s', (now, expected) => {
  expect(detector().hasStepped(reply(now), at(110), at(120))).toBe(expected)
})

test.each([
  [100, false],
  [60, true],
  [5_100, false],
  [5_155, false],
  [5_160, true],
])(
  'a machine that was frozen for 5 s by its wall clock alone, and a store %d ms later: a step is %s',
  (passedMs, expected) => {
    expect(detector().hasStepped(reply(10_000 + passedMs), at(110, 5000), at(120, 5000))).toBe(expected)
  },
)

test.each([
  [-4000, false],
  [-6000, true],
])('a wall clock that was set back by 5 s, and a store %d ms later: a step is %s', (passedMs, expected) => {
  expect(detector().hasStepped(reply(10_000 + passedMs), at(110, -5000), at(120, -5000))).toBe(expected)
})

test.each([
  [998_975, false],
  [998_965, true],
  [1_001_045, false],
  [1_001_055, true],
])('two clocks that drift for 1000 s, and a store %d ms later: a step is %s', (passedMs, expected) => {
  expect(detector().hasStepped(reply(10_000 + passedMs), at(1_000_010), at(1_000_020))).toBe(expected)
})

test('another state, and the reply after a step: compared with nothing older', () => {
  const steps = detector()
  expect(steps.hasStepped(reply(90_000, 2), at(110), at(120))).toBe(false)
  expect(steps.hasStepped(reply(20_000, 2), at(210), at(220))).toBe(true)
  expect(steps.hasStepped(reply(20_100, 2), at(310), at(320))).toBe(false)
})

test('what the store shows now: unknown before a reply, then by the clock here that went on farther', () => {
  expect(new ClockStepDetector().storeTime(at(0))).toBeUndefined()
  const steps = detector()
  expect(steps.storeTime(at(60.7))).toBe(10_050)
  expect(steps.storeTime(at(60.7, 500))).toBe(10_550)
  expect(steps.storeTime(at(60.7, -500))).toBe(10_050)
})
