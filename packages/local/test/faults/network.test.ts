import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { logIn, quiet } from '../fixtures/client.ts'

let aurora: LocalAurora

beforeAll(async () => {
  aurora = await startLocalAurora({ throttle: false, connectTimeoutMs: 500 })
})
afterAll(() => aurora.close())
afterEach(async () => {
  aurora.faults.clear()
  await quiet(aurora)
  aurora.log.clear()
})

const closed = () => [...aurora.log].filter(({ type }) => type === 'closed')

/** Opens a TCP connection and counts the bytes that it receives. */
async function dial(): Promise<{ socket: Socket; received: () => number }> {
  const socket = connect(aurora.port, aurora.host)
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return { socket, received: () => bytes }
}

test('a blackhole: nothing arrives and nothing is closed, and all of it arrives when it ends', async () => {
  const [idle, busy] = [await logIn(aurora), await logIn(aurora)]
  const running = busy.query('SELECT SLEEP(0.2) AS slept')
  const { socket: early } = await dial()
  await once(early, 'data')
  aurora.faults.blackhole()
  const answers: string[] = []
  const answered = [
    running.then(() => answers.push('the query under way')),
    idle.query('SELECT 1').then(() => answers.push('a new query')),
  ]
  const late = await dial()
  // Longer than the query, and than Local Aurora waits for a packet of a login.
  await sleep(700)
  expect(answers).toEqual([])
  expect(late.received()).toBe(0)
  expect(closed()).toEqual([])
  aurora.faults.clear()
  await Promise.all(answered)
  if (late.received() === 0) await once(late.socket, 'data')
  await Promise.all([idle.end(), busy.end()])
  late.socket.destroy()
  early.destroy()
})

test('connections dropped during a blackhole: they end at once, waiting ones included', async () => {
  const connection = await logIn(aurora)
  const broken = new Promise((resolve) => connection.once('error', resolve))
  aurora.faults.blackhole()
  const { socket } = await dial()
  const ended = once(socket, 'close')
  await expect.poll(() => aurora.faults.dropConnections()).toBe(0)
  await Promise.all([broken, ended])
})

test('idle sessions that are closed: 4031, then the end, and one with a query under way goes on', async () => {
  const [idle, busy] = [await logIn(aurora), await logIn(aurora)]
  const ended = new Promise((resolve) => idle.once('error', resolve))
  await idle.query("SELECT GET_LOCK('busy', 0)")
  const running = busy.query("SELECT GET_LOCK('busy', 60) AS got")
  const sql = 'SELECT COUNT(*) AS n FROM information_schema.processlist WHERE state = "User lock"'
  await expect.poll(async () => (await idle.query(sql))[0], { timeout: 10_000 }).toEqual([{ n: 1 }])
  expect(aurora.faults.closeIdleSessions(60_000)).toBe(0)
  expect(aurora.faults.closeIdleSessions()).toBe(1)
  expect(await ended).toMatchObject({ code: 4031 })
  expect((await running)[0]).toEqual([{ got: 1 }])
  await busy.end()
  await quiet(aurora)
  expect(closed()).toContainEqual(expect.objectContaining({ by: 'server', detail: 'idle for too long' }))
})

test('a negative time for idle sessions: refused', () => {
  expect(() => aurora.faults.closeIdleSessions(-1)).toThrow(
    expect.objectContaining({ code: 'ERR_LOCAL_AURORA_INVALID_OPTION' }),
  )
})

test('a pause: open connections break, the first new one wakes it, and it is greeted after the resume', async () => {
  const before = await logIn(aurora)
  const broken = new Promise((resolve) => before.once('error', resolve))
  aurora.pause({ resumeAfterMs: 300 })
  await broken
  const { socket, received } = await dial()
  const login = logIn(aurora)
  await sleep(50)
  expect(received()).toBe(0)
  const after = await login
  expect((await after.query('SELECT 1 AS one'))[0]).toEqual([{ one: 1 }])
  await after.end()
  socket.destroy()
  const changes = [...aurora.log].map(({ type }) => type).filter((type) => /^(paused|resum)/.test(type))
  expect(changes).toEqual(['paused', 'resuming', 'resumed'])
})

test('a pause that is ended by resume(): at once', async () => {
  aurora.pause()
  const login = logIn(aurora)
  aurora.resume()
  await (await login).end()
})

test('a resume that is no time: refused, and nothing pauses', async () => {
  expect(() => aurora.pause({ resumeAfterMs: Number.NaN })).toThrow(
    expect.objectContaining({ option: 'resumeAfterMs' }),
  )
  await (await logIn(aurora)).end()
})
