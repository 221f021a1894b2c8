import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { until } from '@aurora-iam/test-support/until'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { COMMAND, OK, OK_IN_TRANSACTION, ScriptedServer } from '../scripted-server.ts'
import { openPool } from './open-pool.ts'

let server: ScriptedServer

beforeEach(async () => {
  server = await ScriptedServer.start()
})

afterEach(async () => {
  vi.useRealTimers()
  await server[Symbol.asyncDispose]()
})

const failure = (promise: Promise<unknown>): Promise<Error & Record<string, unknown>> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  )

const count = (command: number): number => server.commands.filter((one) => one === command).length

/** Waits for `times` commands, and moves no clock, which `until` would. */
async function received(command: number, times: number): Promise<void> {
  while (count(command) < times) await new Promise(setImmediate)
}

test('more queries than connections: the last one waits, and each state is counted', async () => {
  const { pool, activity } = openPool(server)
  const acquiring = [pool.acquire(), pool.acquire(), pool.acquire()]
  expect(pool).toMatchObject({ active: 0, idle: 0, opening: 2, queued: 3, isClosed: false })
  const [first, second] = [await acquiring[0]!, await acquiring[1]!]
  expect(pool).toMatchObject({ active: 2, idle: 0, opening: 0, queued: 1 })
  await pool.release(first)
  expect(await acquiring[2]).toBe(first)
  await pool.release(first)
  expect(activity.status(0)).toMatchObject({
    active: 1,
    idle: 1,
    opening: 0,
    queued: 0,
    connectionsOpened: 2,
  })
  await pool.release(second)
  expect(pool).toMatchObject({ active: 0, idle: 2 })
  await pool.end()
})

test('a connection that cannot be opened: it rejects one query, and the others get the next connection', async () => {
  const error = new Error('unreachable')
  let attempts = 0
  const { pool } = openPool(server, { connectionLimit: 1 }, async () => {
    if (++attempts === 1) throw error
  })
  const [first, second] = [failure(pool.acquire()), pool.acquire()]
  expect(await first).toBe(error)
  await pool.release(await second)
  await pool.end()
})

test('no connection in time: P2024 with the state of the pool, and the error of the last connection if that failed', async () => {
  let gate: Promise<unknown> = Promise.resolve()
  const { pool, activity } = openPool(server, {}, () => gate)
  const held = await pool.acquire()
  useMovedClock('setTimeout')
  let fail = (_error: Error) => {}
  const cause = Object.assign(new Error('Cannot reach the database'), { code: 'P1001' })
  gate = new Promise((_, reject) => {
    fail = reject
  })
  const permit = new Promise(() => {})
  void activity.countWaiting(permit)
  const [first, second, third] = [1, 2, 3].map(() => failure(pool.acquire()))
  await vi.advanceTimersByTimeAsync(500)
  let open = () => {}
  gate = new Promise<void>((resolve) => {
    open = resolve
  })
  fail(cause)
  expect(await first).toBe(cause)
  await vi.advanceTimersByTimeAsync(500)
  const message =
    'No connection within 1000 ms (acquireTimeoutMs): 1 of 2 (connectionLimit) are in use, ' +
    '1 are being opened, 1 of these wait for a permit of the rate limit.'
  for (const error of [await second, await third]) {
    expect(error).toMatchObject({
      code: 'P2024',
      message: `${message} The last new connection failed: Cannot reach the database`,
      meta: { connectionLimit: 2, acquireTimeoutMs: 1_000 },
      cause,
    })
  }
  vi.useRealTimers()
  open()
  await pool.release(held)
  await pool.end()
})

test('a connection that was opened after a failure: P2024 has no error of a connection', async () => {
  let attempts = 0
  const { pool } = openPool(server, { connectionLimit: 1 }, async () => {
    if (++attempts === 1) throw new Error('unreachable')
  })
  await failure(pool.acquire())
  const held = await pool.acquire()
  useMovedClock('setTimeout')
  const late = failure(pool.acquire())
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await late).not.toHaveProperty('cause')
  vi.useRealTimers()
  await pool.release(held)
  await pool.end()
})

test('a default time limit: it is extended for those whose connection is being opened, and while one waits for a permit', async () => {
  useMovedClock('setTimeout')
  const { pool, activity } = openPool(
    server,
    { connectionLimit: 1, isAcquireTimeoutStrict: false },
    () => new Promise(() => {}),
  )
  let isGranted = () => {}
  void activity.countWaiting(
    new Promise<void>((resolve) => {
      isGranted = resolve
    }),
  )
  const failures: number[] = []
  for (const position of [0, 1]) pool.acquire().catch(() => failures.push(position))
  await vi.advanceTimersByTimeAsync(1_000)
  expect(failures).toEqual([])
  isGranted()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(failures).toEqual([1])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(failures).toEqual([1])
  void pool.end()
})

test('a connection that the server closed: replaced when it is needed', async () => {
  const { pool, activity } = openPool(server)
  const pooled = await pool.acquire()
  await pool.release(pooled)
  for (const socket of server.sockets) socket.end()
  await until(() => pool.idle === 0)
  const next = await pool.acquire()
  expect(next).not.toBe(pooled)
  expect(activity.status(0).connectionsOpened).toBe(2)
  await pool.release(next)
  await pool.end()
})

test('an idle connection: pinged after half a second, and after another one was lost', async () => {
  const { pool } = openPool(server)
  const use = async () => pool.release(await pool.acquire())
  useMovedClock()
  await use()
  vi.advanceTimersByTime(499)
  await use()
  expect(count(COMMAND.ping)).toBe(0)
  vi.advanceTimersByTime(500)
  await use()
  expect(count(COMMAND.ping)).toBe(1)
  pool.connectionLost()
  vi.advanceTimersByTime(1)
  await use()
  expect(count(COMMAND.ping)).toBe(2)
  await use()
  expect(count(COMMAND.ping)).toBe(2)
  vi.useRealTimers()
  await pool.end()
})

test('a ping that is not answered: after a second the connection is closed, and the query gets another', async () => {
  const { pool } = openPool(server, { acquireTimeoutMs: 60_000 })
  const pooled = await pool.acquire()
  await pool.release(pooled)
  pool.connectionLost()
  server.answer = (payload) => (payload[0] === COMMAND.ping ? undefined : OK)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const next = pool.acquire()
  await received(COMMAND.ping, 1)
  await vi.advanceTimersByTimeAsync(999)
  expect(pooled.isUsable).toBe(true)
  // A second for the ping, and one for COM_QUIT.
  for (let elapsedMs = 0; elapsedMs < 1_001; elapsedMs++) await vi.advanceTimersByTimeAsync(1)
  vi.useRealTimers()
  expect(await next).not.toBe(pooled)
  await pool.release(await next)
  await pool.end()
})

test('a connection that is returned: a transaction is rolled back, and without one nothing is sent', async () => {
  server.answer = (payload) => (payload.includes('BEGIN') ? OK_IN_TRANSACTION : OK)
  const { pool } = openPool(server)
  const pooled = await pool.acquire()
  await pool.release(pooled)
  expect(server.commands).toEqual([])
  expect(await pool.acquire()).toBe(pooled)
  await pooled.connection.query('BEGIN')
  await pool.release(pooled)
  expect(server.commands).toEqual([COMMAND.query, COMMAND.query])
  await pool.end()
})

test('a rollback that is not answered: the connection is destroyed after 5 seconds, and replaced', async () => {
  server.answer = (payload) =>
    payload.includes('BEGIN') ? OK_IN_TRANSACTION : payload.includes('ROLLBACK') ? undefined : OK
  const { pool } = openPool(server)
  const pooled = await pool.acquire()
  await pooled.connection.query('BEGIN')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const releasing = pool.release(pooled)
  await received(COMMAND.query, 2)
  await vi.advanceTimersByTimeAsync(4_999)
  expect(pooled.isUsable).toBe(true)
  await vi.advanceTimersByTimeAsync(1)
  await releasing
  expect(pooled.isUsable).toBe(false)
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  const next = await pool.acquire()
  expect(next).not.toBe(pooled)
  await pool.release(next)
  await pool.end()
})

test('a pool that ends: waits are rejected, idle connections closed, and it leaves the status', async () => {
  const { pool, activity, signals } = openPool(server, { connectionLimit: 1 })
  const pooled = await pool.acquire()
  const waiting = failure(pool.acquire())
  const ending = pool.end()
  expect(pool.end()).toBe(ending)
  expect(pool.isClosed).toBe(true)
  const closed = { code: 'ERR_AURORA_IAM_CLOSED' }
  expect(await waiting).toMatchObject(closed)
  expect(await failure(pool.acquire())).toMatchObject(closed)
  expect(signals[0]?.reason).toMatchObject(closed)
  expect(activity.status(0)).toMatchObject({ active: 1 })
  await pool.release(pooled)
  await ending
  await received(COMMAND.quit, 1)
  await expect(activity.warmUp(1)).rejects.toMatchObject({ option: 'warmUp' })
})

test('a pool that ends while a connection is in use: the connection is destroyed after 5 seconds', async () => {
  const { pool } = openPool(server)
  const pooled = await pool.acquire()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const ending = pool.end()
  await vi.advanceTimersByTimeAsync(4_999)
  expect(pooled.isUsable).toBe(true)
  await vi.advanceTimersByTimeAsync(1)
  await ending
  vi.useRealTimers()
  expect(pooled.isUsable).toBe(false)
  await until(() => server.sockets.size === 0)
})

test('an idle connection: closed when it was idle for too long', async () => {
  const { pool } = openPool(server, { idleTimeoutMs: 20 })
  await pool.release(await pool.acquire())
  await until(() => server.sockets.size === 0)
  expect(pool).toMatchObject({ idle: 0, active: 0 })
  expect(count(COMMAND.quit)).toBe(1)
  await pool.end()
})

test('connections opened before they are needed: as many as are wanted, and none above the limit', async () => {
  const { pool } = openPool(server)
  const progress: number[] = []
  await pool.warmUp(2, { onProgress: (opened) => progress.push(opened) })
  expect(progress).toEqual([1, 2])
  expect(pool).toMatchObject({ idle: 2, active: 0 })
  await expect(pool.warmUp(3)).rejects.toMatchObject({
    code: 'ERR_AURORA_IAM_INVALID_OPTION',
    option: 'count',
  })
  await pool.end()
})

test('the lifetime of connections: the pool reports each step', async () => {
  const { pool, calls, driver } = openPool(server, { connectionLimit: 1 })
  const names = () => calls.splice(0).map(([name]) => name)
  const pooled = await pool.acquire()
  expect(names()).toEqual(['opened', 'released', 'acquired'])
  expect(driver.remoteAddress(pooled)).toBe('127.0.0.1')
  const error = new Error('read-only')
  pool.statementFailed(pooled, error)
  expect(calls.splice(0)).toEqual([['failed', error]])
  await pool.release(pooled)
  expect(names()).toEqual(['released'])
  driver.close(pooled)
  await until(() => server.sockets.size === 0)
  expect(new Set(names())).toEqual(new Set(['closed']))
  const next = await pool.acquire()
  expect(next).not.toBe(pooled)
  await pool.release(next)
  calls.length = 0
  for (const socket of server.sockets) socket.end()
  await until(() => calls.length > 0)
  expect(names()).toEqual(['broke', 'closed'])
  await pool.release(await pool.acquire())
  calls.length = 0
  for (const socket of server.sockets) socket.resetAndDestroy()
  await until(() => calls.length > 0)
  expect(calls.splice(0)).toEqual([['broke', expect.objectContaining({ code: 'ECONNRESET' })], ['closed']])
  await pool.end()
  expect(names().at(-1)).toBe('dispose')
})

test('connections that are not replaced: used, lost and closed like all others', async () => {
  const { pool } = openPool(server, { connectionLimit: 1 }, undefined, false)
  const pooled = await pool.acquire()
  pool.statementFailed(pooled, new Error('read-only'))
  await pool.release(pooled)
  for (const socket of server.sockets) socket.end()
  await until(() => pool.idle === 0)
  await pool.release(await pool.acquire())
  await pool.end()
  await until(() => server.sockets.size === 0)
})

test('a connection that is open after its query timed out: idle', async () => {
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { pool } = openPool(server, { acquireTimeoutMs: 1 }, () => gate)
  expect(await failure(pool.acquire())).toMatchObject({ code: 'P2024' })
  open()
  await until(() => pool.idle === 1)
  expect(pool.active).toBe(0)
  await pool.end()
})
