import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import { endGracefully, relay } from '@aurora-iam/wire'
import { afterEach, expect, test, vi } from 'vitest'
import { CHANGE_USER, command, neverIntercept, QUIT, relayed } from './commands.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a server that hangs up after COM_QUIT: the client ended the session', async () => {
  const { client, server, ended } = relayed()
  client.resume()
  server.once('data', () => server.end())
  client.write(command(QUIT))
  await once(client, 'end')
  client.end()
  expect(await ended).toEqual({ by: 'client' })
})

test('a client that ends with an error after COM_QUIT: its error is the reason', async () => {
  const { client, server, clientSide, ended } = relayed()
  const failure = new Error('reset')
  client.write(command(QUIT))
  await once(server, 'readable')
  clientSide.destroy(failure)
  expect(await ended).toEqual({ by: 'client', error: failure })
})

test.each(['client', 'server'] as const)(
  'a %s that fails: both streams are destroyed at once',
  async (by) => {
    // A graceful end would wait for the other ends, which stay open, until its time limit.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { clientSide, serverSide, ended } = relayed()
    const error = new Error('reset')
    const failed = by === 'client' ? clientSide : serverSide
    failed.destroy(error)
    expect(await ended).toEqual({ by, error })
    expect([clientSide.destroyed, serverSide.destroyed]).toEqual([true, true])
  },
)

test.each(['client', 'server'] as const)(
  'a %s that was closed before: the relay ends, and closes the other',
  async (by) => {
    const [client, clientSide] = duplexPair()
    const [serverSide, server] = duplexPair()
    const closed = by === 'client' ? clientSide : serverSide
    closed.destroy()
    await once(closed, 'close')
    const ended = relay(clientSide, serverSide, neverIntercept)
    for (const far of [client, server]) far.resume().end()
    expect(await ended).toEqual({ by })
    expect([clientSide.closed, serverSide.closed]).toEqual([true, true])
  },
)

test('a command that is too long: both sides end, with the error of its header', async () => {
  const { client, ended } = relayed({ ...neverIntercept, maxPayloadBytes: 1 })
  client.write(command(CHANGE_USER, 'app'))
  expect(await ended).toMatchObject({ by: 'interception', error: { code: 'ERR_WIRE_TOO_LARGE' } })
})

test('an interception that rejects with no Error: its reason is the cause', async () => {
  const { client, ended } = relayed({ ...neverIntercept, handle: () => Promise.reject('no Error') })
  client.write(command(CHANGE_USER))
  expect(await ended).toMatchObject({ by: 'interception', error: { cause: 'no Error' } })
})

test('an interception that fails: both streams are destroyed, with its error as the reason', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const error = new Error('refused')
  const { client, clientSide, serverSide, ended } = relayed({
    ...neverIntercept,
    handle: () => Promise.reject(error),
  })
  client.write(command(CHANGE_USER))
  expect(await ended).toEqual({ by: 'interception', error })
  expect([clientSide.destroyed, serverSide.destroyed]).toEqual([true, true])
})

test('a peer that does not close its side: its stream is destroyed after a second', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const [near, far] = duplexPair()
  endGracefully(near)
  far.write('discarded')
  await once(far.resume(), 'end')
  vi.advanceTimersByTime(999)
  expect(near.destroyed).toBe(false)
  vi.advanceTimersByTime(1)
  expect(near.destroyed).toBe(true)
})

test('a peer that closes its side: the time limit ends with the stream', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const [near, far] = duplexPair()
  endGracefully(near)
  far.resume().end()
  await once(near, 'close')
  expect(vi.getTimerCount()).toBe(0)
})
