import { expect, test } from 'vitest'
import { Activity, type ObservedPool } from '../src/status.ts'

const NOTHING = {
  ...{ active: 0, idle: 0, opening: 0, waitingForPermit: 0, queued: 0 },
  ...{ connectionsOpened: 0, connectionsFailed: 0, lastError: undefined, tokensSigned: 0 },
}

function poolOf(active: number, opened: number[] = []): ObservedPool {
  const warmUp = async (count: number) => void opened.push(count)
  return { active, idle: 10 * active, opening: 100 * active, queued: 1_000 * active, warmUp }
}

test('no pool: everything is 0, and the tokens are those of the caller', () => {
  expect(new Activity().status(0)).toEqual(NOTHING)
  expect(new Activity().status(7)).toEqual({ ...NOTHING, tokensSigned: 7 })
})

test('two pools: their counts are added, until a pool is removed', () => {
  const activity = new Activity()
  const [one, two] = [poolOf(1), poolOf(2)]
  activity.add(one)
  activity.add(two)
  expect(activity.status(0)).toEqual({ ...NOTHING, active: 3, idle: 30, opening: 300, queued: 3_000 })
  activity.remove(one)
  expect(activity.status(0)).toMatchObject({ active: 2, queued: 2_000 })
})

test('a login that waits: counted until it ends, and as failed when it rejects', async () => {
  const activity = new Activity()
  const waiting = activity.countWaiting(new Promise((resolve) => setImmediate(resolve, 'permit')))
  expect([activity.waitingForPermit, activity.status(0).waitingForPermit]).toEqual([1, 1])
  expect(await waiting).toBe('permit')
  expect(activity.status(0)).toEqual(NOTHING)
  const error = Object.assign(new Error('no permit'), { code: 'ERR_AURORA_IAM_RATE_LIMITED' })
  await expect(activity.countWaiting(Promise.reject(error))).rejects.toBe(error)
  expect(activity.status(0)).toEqual({
    ...NOTHING,
    connectionsFailed: 1,
    lastError: { code: error.code, message: 'no permit', at: expect.any(Date) },
  })
})

test('connections that were opened or not: counted, with the last error and no secret in it', () => {
  const activity = new Activity()
  activity.countOpened()
  activity.countOpened()
  activity.countFailed(new Error('first'))
  activity.countFailed(new Error('token X-Amz-Signature=0123456789abcdef'))
  const { connectionsOpened, connectionsFailed, lastError } = activity.status(0)
  expect([connectionsOpened, connectionsFailed, lastError?.code]).toEqual([2, 2, undefined])
  expect(lastError?.message).toMatch(/^token /)
  expect(lastError?.message).not.toContain('0123456789abcdef')
})

test('a warm-up: every pool opens its connections, and without a pool it is refused', async () => {
  const activity = new Activity()
  await expect(activity.warmUp(2)).rejects.toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    option: 'warmUp',
  })
  const opened: number[] = []
  for (const active of [1, 2]) activity.add(poolOf(active, opened))
  await activity.warmUp(2)
  expect(opened).toEqual([2, 2])
})
