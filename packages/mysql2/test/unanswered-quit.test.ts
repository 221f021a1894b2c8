import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const PING = Buffer.from([1, 0, 0, 0, 14])
const QUERY = Buffer.from([9, 0, 0, 0, 3, ...Buffer.from('SELECT 1')])
const closing: Array<() => unknown> = []
let near: Socket
let far: Socket

beforeEach(async () => {
  useMovedClock('setInterval')
  // The interval of sockets that other tests have opened runs on the real clock.
  vi.resetModules()
  const { limitQuit } = await import('../src/auth/unanswered-quit.ts')
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const accepted = once(server, 'connection')
  near = connect((server.address() as AddressInfo).port, '127.0.0.1')
  ;[far] = (await accepted) as [Socket]
  closing.push(
    () => near.destroy(),
    () => far.destroy(),
    () => server.close(),
  )
  // What is written before, as the login is, counts as answered.
  await write(QUERY)
  limitQuit(near)
})

afterEach(() => {
  vi.useRealTimers()
  for (const close of closing.splice(0)) close()
})

const write = (bytes: Buffer) => new Promise((resolve) => near.write(bytes, resolve))

/** Sends an answer of the server, and waits until this side has read it. */
async function answer() {
  far.write('answer')
  await once(near, 'data')
}

/** Returns after how many seconds the socket is destroyed; undefined if it is not. */
function secondsUntilDestroyed(): number | undefined {
  for (let seconds = 5; seconds <= 60; seconds += 5) {
    vi.advanceTimersByTime(5_000)
    if (near.destroyed) return seconds
  }
  return undefined
}

test('a command without arguments that the server does not answer: destroyed 10 seconds after it was seen', async () => {
  await write(PING)
  expect(secondsUntilDestroyed()).toBe(15)
})

test('an answer: the connection is kept', async () => {
  await write(PING)
  vi.advanceTimersByTime(5_000)
  await answer()
  expect(secondsUntilDestroyed()).toBeUndefined()
})

test('a command that is answered late, and the next one: each has 10 seconds', async () => {
  await write(PING)
  vi.advanceTimersByTime(10_000)
  await answer()
  vi.advanceTimersByTime(5_000)
  await write(PING)
  expect(secondsUntilDestroyed()).toBe(15)
})

test.each([
  ['nothing was sent', undefined],
  ['a query', QUERY],
])('%s: the connection is kept, however long the answer takes', async (_what, bytes) => {
  if (bytes) await write(bytes)
  expect(secondsUntilDestroyed()).toBeUndefined()
})
