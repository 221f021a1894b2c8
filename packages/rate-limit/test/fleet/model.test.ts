import { expect, test } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { allInterleavings, playAll } from '../fleet-model.ts'
import { startRedis } from '../redis.ts'

// The limiters and the script themselves, in Redis itself, in virtual time.
const redis = await startRedis({ enableAutoPipelining: true })

test('every order of 6 logins of up to 3 processes, an outage at each of them: never over the limit, and every login ends', async () => {
  const interleavings = allInterleavings('extremes')
  expect(interleavings).toHaveLength(122 * 13)
  expect(await playAll(redis, interleavings, fleetStep)).toEqual([])
}, 120_000)

test.each([
  [
    'grants at once after a loss',
    'facts.quiet = max(facts.quiet, facts.born + longest + GRACE + rest)',
    'facts.quiet = 0',
  ],
  ['frees a permit at its grant', 'max(now - age, from) + rest', 'from'],
])('a script that %s: the same model fails', async (_, right, wrong) => {
  expect(fleetStep.split(right)).toHaveLength(2)
  const some = allInterleavings('extremes').filter(({ turns }) => turns.join('') === '012012')
  const broken = await playAll(redis, some, fleetStep.replace(right, wrong))
  expect(broken.join()).toContain('logins in')
})
