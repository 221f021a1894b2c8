import { expect, test } from 'vitest'
import { currentLane, inBackground } from '../../src/permit/lane.ts'

test('a call inside inBackground: the background lane, until its work ends', async () => {
  expect(currentLane()).toBe('live')
  const lanes = await inBackground(async () => {
    const atOnce = currentLane()
    await new Promise(setImmediate)
    // What the socket of a connection calls back later runs in this context too.
    const callback = new Promise<string>((resolve) => setImmediate(() => resolve(currentLane())))
    return { atOnce, afterwards: currentLane(), callback }
  })
  expect([lanes.atOnce, lanes.afterwards]).toEqual(['background', 'background'])
  expect(await lanes.callback).toBe('live')
  expect(currentLane()).toBe('live')
})
