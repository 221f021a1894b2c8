import { expect, test } from 'vitest'
import { Slices } from '../../src/queue/slices.ts'

test('a long job: the first slice at once, the rest in later turns of the loop, nothing twice', async () => {
  let slices = 0
  const slicesRun = new Slices(() => {
    slices += 1
  })
  const done: number[] = []
  slicesRun.run(
    (function* () {
      for (let step = 0; step < 1200; step++) {
        done.push(step)
        yield
      }
    })(),
  )
  slicesRun.run([-1].map((step) => done.push(step)).values())
  expect(done.length).toBe(501)
  while (slices < 3) await new Promise((resolve) => setImmediate(resolve))
  expect(done.filter((step) => step >= 0)).toEqual(Array.from({ length: 1200 }, (_, step) => step))
})
