import { expect, test } from 'vitest'
import { fleetStep } from '../../src/fleet/lua-scripts.ts'
import { allInterleavings, playAll } from '../fleet-model.ts'
import { startRedis } from '../redis.ts'

// The limiters and the script themselves, in Redis itself, in virtual time.
const redis = await startRedis({ enableAutoPipelining: true })

test('every order of 6 logins of up to 3 processes, an outage of every kind at each of them: never over the limit, and every login ends', async () => {
  const interleavings = allInterleavings('every kind')
  expect(interleavings).toHaveLength(122 * 97)
  for (let index = 0; index < interleavings.length; index += 1500) {
    expect(await playAll(redis, interleavings.slice(index, index + 1500), fleetStep)).toEqual([])
  }
}, 3_600_000)
