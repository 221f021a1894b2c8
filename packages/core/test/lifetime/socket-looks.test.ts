import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { SocketLooks } from '../../src/lifetime/socket-looks.ts'

const server = createServer((socket) => socket.resume())

beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))

afterAll(() => {
  server.close()
})

async function open(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** Opens a socket, adds it, closes it, and returns a reference that keeps nothing. */
async function openAndClose(looks: SocketLooks<object>): Promise<WeakRef<Socket>> {
  const socket = await open()
  looks.add(socket, {})
  await once(socket.destroy(), 'close')
  return new WeakRef(socket)
}

test('the first of several sockets has closed: nothing keeps it while the others are looked at', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const look = vi.fn()
  const looks = new SocketLooks<object>(look)
  const closed = await openAndClose(looks)
  const other = await open()
  looks.add(other, {})
  // Node itself lets go of a socket some turns after it has closed.
  for (let turns = 0; turns < 100 && closed.deref(); turns++) {
    await turn()
    collect()
  }
  expect(closed.deref()).toBeUndefined()
  vi.advanceTimersByTime(5_000)
  expect(look).toHaveBeenCalledOnce()
  other.destroy()
  vi.useRealTimers()
})
