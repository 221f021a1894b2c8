import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { expect, test, vi } from 'vitest'
import { openTogether } from '../../src/lifetime/warm-up.ts'
import { currentLane } from '../../src/permit/lane.ts'

/** Creates a pool of four connections, which notes the lane in which each is opened. */
function poolOf(acquire: (number: number) => Promise<number> = async (number) => number) {
  const lanes: string[] = []
  const released: number[] = []
  let opened = 0
  return {
    lanes,
    released,
    size: 4,
    acquire: () => {
      lanes.push(currentLane())
      return acquire(++opened)
    },
    release: vi.fn(async (connection: number) => {
      released.push(connection)
    }),
  }
}

test('three connections: held together in the background lane, reported one by one, then released', async () => {
  const pool = poolOf()
  const progress: Array<[number, number]> = []
  await openTogether(pool, 3, {
    onProgress: (...counts) => {
      expect(pool.release).not.toHaveBeenCalled()
      progress.push(counts)
    },
  })
  expect(progress).toEqual([
    [1, 3],
    [2, 3],
    [3, 3],
  ])
  expect(pool.lanes).toEqual(['background', 'background', 'background'])
  expect(pool.released).toEqual([1, 2, 3])
})

test.each([1, 4])('%d of the 4 that the pool can hold: opened', async (count) => {
  const pool = poolOf()
  await openTogether(pool, count)
  expect(pool.released).toHaveLength(count)
})

test.each([
  ['0', 0, '0'],
  ['5', 5, '5'],
  ['a fraction', 1.5, '1.5'],
  ['a text', '3', 'a string of 1 characters'],
])('a count of %s: refused before a connection is opened', async (_what, count, shown) => {
  const pool = poolOf()
  expect(await rejectionOf(openTogether(pool, count as number))).toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    option: 'count',
    message: `count: expected a whole number from 1 to 4, the size of the pool, got ${shown}.`,
  })
  expect(pool.lanes).toEqual([])
})

test('onProgress that is no function: refused before a connection is opened', async () => {
  const pool = poolOf()
  expect(await rejectionOf(openTogether(pool, 1, { onProgress: 'log' as never }))).toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    option: 'onProgress',
  })
  expect(pool.lanes).toEqual([])
})

test('one connection fails: the others are released first, then its error is thrown', async () => {
  const error = new Error('no route')
  const pool = poolOf(async (number) => {
    if (number === 2) throw error
    return number
  })
  expect(await rejectionOf(openTogether(pool, 3))).toBe(error)
  expect(pool.released).toEqual([1, 3])
})
