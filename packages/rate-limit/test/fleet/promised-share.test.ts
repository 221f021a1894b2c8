import { expect, test } from 'vitest'
import { fleetStore } from '../../src/fleet/fleet-store.ts'
import { PromisedShare } from '../../src/fleet/promised-share.ts'
import { completeOptions } from '../../src/options.ts'
import type { OnStoreLost } from '../../src/store.ts'

const store = fleetStore({ step: async () => [] })

function shareOf(onStoreLost: OnStoreLost, processes?: number): PromisedShare {
  const share = processes === undefined ? {} : { share: { processes } }
  return new PromisedShare(completeOptions({ limit: 20, store, onStoreLost, ...share }))
}

test('a promise: valid for 50 s on both clocks, and for as long as degraded mode uses it', () => {
  const share = shareOf('share')
  expect(share.at({ now: 0, wall: 0 }, true)).toBe(0)
  share.update(3, { now: 100, wall: 200 })
  const seen = [
    { now: 50_100, wall: 50_200 },
    { now: 50_101, wall: 50_200 },
    { now: 50_100, wall: 50_201 },
  ].map((instant) => [share.at(instant, false), share.at(instant, true), share.degradedLimit(20, instant)])
  expect(seen).toEqual([
    [3, 3, 3],
    [0, 3, 0],
    [0, 3, 0],
  ])
  share.update(0, { now: 200, wall: 300 })
  expect(share.at({ now: 200, wall: 300 }, true)).toBe(0)
})

test('a promise above the limit: the limit', () => {
  const share = shareOf('share')
  share.update(8, { now: 0, wall: 0 })
  expect(share.degradedLimit(5, { now: 0, wall: 0 })).toBe(5)
})

test.each([
  ['fail-open', undefined, 20],
  ['fail-closed', 4, 0],
  ['share', undefined, 0],
  ['share', 4, 5],
  ['share', 3, 6],
] as const)('%s, configured for %s processes, and no promise: %d of 20', (onStoreLost, processes, limit) => {
  expect(shareOf(onStoreLost, processes).degradedLimit(20, { now: 0, wall: 0 })).toBe(limit)
})

test.each([
  ['fail-open', 20],
  ['fail-closed', 0],
  ['share', 3],
] as const)(
  '%s and a promise of 3: %d of 20, and the store is told of no share but for degraded mode',
  (onStoreLost, limit) => {
    const share = shareOf(onStoreLost, 4)
    share.update(3, { now: 0, wall: 0 })
    expect(share.degradedLimit(20, { now: 0, wall: 0 })).toBe(limit)
    expect(share.at({ now: 0, wall: 0 }, true)).toBe(onStoreLost === 'share' ? 3 : 0)
  },
)
