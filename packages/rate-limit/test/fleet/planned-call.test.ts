import { expect, test } from 'vitest'
import { PlannedCall } from '../../src/fleet/planned-call.ts'
import { SimulatedClock } from '../simulated-clock.ts'

/** Returns a plan whose instant the test sets, in milliseconds from its beginning. */
function plan() {
  let timersSet = 0
  const clock = new SimulatedClock(() => {
    timersSet += 1
    return 0
  })
  const startedAt = clock.now()
  const state = { dueMs: Number.POSITIVE_INFINITY, calls: [] as number[] }
  const call = new PlannedCall(
    clock,
    () => startedAt + state.dueMs,
    () => {
      state.calls.push(clock.now() - startedAt)
      state.dueMs = Number.POSITIVE_INFINITY
    },
  )
  return { clock, call, state, timersSet: () => timersSet }
}

test('a plan: one call when it is due, in the background, and none after that', async () => {
  const { clock, call, state } = plan()
  state.dueMs = 99.5
  call.update()
  await clock.runOut()
  expect(state.calls).toEqual([])
  await clock.advance(1000)
  expect(state.calls).toEqual([100])
  expect(clock.timers).toEqual([])
})

test('a plan that stays the same, changes or is dropped: one timer at most', async () => {
  const { clock, call, state, timersSet } = plan()
  state.dueMs = 100
  call.update()
  call.update()
  expect([timersSet(), clock.timers.length]).toEqual([1, 1])
  state.dueMs = 50
  call.update()
  expect([timersSet(), clock.timers.length]).toEqual([2, 1])
  state.dueMs = Number.POSITIVE_INFINITY
  call.update()
  expect(clock.timers).toEqual([])
  await clock.advance(200)
  expect(state.calls).toEqual([])
})

test('a plan that is due: one call after all that the caller changes at once', async () => {
  const { clock, call, state } = plan()
  state.dueMs = 0
  call.update()
  call.update()
  expect([state.calls, clock.timers]).toEqual([[], []])
  await clock.advance(0)
  expect(state.calls).toEqual([0])
  state.dueMs = 0
  call.update()
  await clock.advance(0)
  expect(state.calls).toEqual([0, 0])
})

test('a call that changes the plan: the plan is made again after it', async () => {
  const clock = new SimulatedClock()
  const startedAt = clock.now()
  const calls: number[] = []
  const call = new PlannedCall(
    clock,
    () => (calls.length < 3 ? startedAt + calls.length * 100 : Number.POSITIVE_INFINITY),
    () => calls.push(clock.now() - startedAt),
  )
  call.update()
  await clock.advance(1000)
  expect(calls).toEqual([0, 100, 200])
})
