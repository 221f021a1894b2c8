import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Slices } from '../../src/queue/slices.ts'

beforeEach(() => {
  useMovedClock()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Makes a job of `steps` steps, each of which takes `stepMs`. */
function* jobOf(steps: number, done: number[], stepMs = 0): Generator<void> {
  for (let step = 0; step < steps; step++) {
    done.push(step)
    vi.advanceTimersByTime(stepMs)
    yield
  }
}

test('a long job: the first slice at once, the rest in later turns of the loop, nothing twice', async () => {
  let slices = 0
  const slicesRun = new Slices(() => {
    slices += 1
  })
  const done: number[] = []
  slicesRun.run(jobOf(1200, done))
  slicesRun.run([-1].map((step) => done.push(step)).values())
  expect(done.length).toBe(501)
  while (slices < 3) await new Promise((resolve) => setImmediate(resolve))
  expect(done.filter((step) => step >= 0)).toEqual(Array.from({ length: 1200 }, (_, step) => step))
  // Nothing is left to do, so no further slice comes.
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(slices).toBe(3)
})

test('steps that take long: a slice ends soon after 4 ms', async () => {
  const done: number[] = []
  new Slices(() => {}).run(jobOf(1200, done, 0.5))
  expect(done.length).toBeGreaterThan(7)
  expect(done.length).toBeLessThan(40)
  while (done.length < 1200) await new Promise((resolve) => setImmediate(resolve))
})

test('a second job in the same iteration of the loop: it runs in a later one', async () => {
  const done: number[] = []
  const slices = new Slices(() => {})
  slices.run(jobOf(1, []))
  slices.run(jobOf(1, done))
  expect(done).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toEqual([0])
})
