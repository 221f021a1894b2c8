import { expect, test } from 'vitest'
import { QueueStanding } from '../../src/fleet/queue-standing.ts'

test('a demand: new when a lane wants permits that wanted none', () => {
  const standing = new QueueStanding()
  expect(standing.isWanted).toBe(false)
  expect(new QueueStanding().setWant({ live: 1, background: 0 })).toBe(true)
  const steps = [
    { live: 0, background: 0 },
    { live: 1, background: 0 },
    { live: 2, background: 0 },
    { live: 2, background: 1 },
    { live: 1, background: 2 },
    { live: 0, background: 2 },
    { live: 1, background: 0 },
    { live: 0, background: 0 },
  ].map((want) => [standing.setWant(want), standing.isWanted])
  expect(steps.map(([isNew]) => isNew)).toEqual([false, true, false, true, false, false, true, false])
  expect(steps.map(([, isWanted]) => isWanted)).toEqual([false, true, true, true, true, true, true, false])
  expect(standing.want).toEqual({ live: 0, background: 0 })
})

test.each(['live', 'background'] as const)(
  'a request in the lane %s that ends: the process leaves that queue',
  (lane) => {
    const none = { live: 0, background: 0 }
    const standing = new QueueStanding()
    standing.setWant({ ...none, [lane]: 1 })
    // The store does not know of it yet.
    standing.setWant(none)
    expect(standing.hasWithdrawn).toBe(false)

    standing.setWant({ ...none, [lane]: 1 })
    standing.send()
    expect(standing.hasWithdrawn).toBe(false)
    standing.setWant(none)
    expect(standing.hasWithdrawn).toBe(true)
    // A request without demand is under way, and the one before may still arrive.
    standing.send()
    expect(standing.hasWithdrawn).toBe(true)
    standing.update([0, 0])
    expect(standing.hasWithdrawn).toBe(false)

    standing.setWant({ ...none, [lane]: 1 })
    const turns = lane === 'live' ? ([7, 0] as const) : ([0, 7] as const)
    standing.update(turns)
    expect(standing.turns).toEqual(turns)
    expect(standing.hasWithdrawn).toBe(false)
    standing.setWant({ live: 1, background: 1, [lane]: 0 })
    expect(standing.hasWithdrawn).toBe(true)
  },
)
