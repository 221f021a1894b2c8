import { EventEmitter, once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { LoginAttempt } from '@aurora-iam/core/adapter'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { PendingLogins } from '../src/connect/pending-logins.ts'
import type { ConnectionSettings } from '../src/driver-types.ts'

let server: Server
let pending: PendingLogins
const sockets: Socket[] = []

beforeAll(async () => {
  server = createServer((socket) => void sockets.push(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterAll(() => server.close())

beforeEach(() => {
  pending = new PendingLogins()
})

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

async function connected(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  await once(socket, 'connect')
  return socket
}

// Only their identity counts.
const newSettings = () => ({}) as ConnectionSettings
const newLogin = () => ({}) as LoginAttempt

describe('each connection has its settings', () => {
  test('a login: taken once, by the settings', async () => {
    const [settings, login] = [newSettings(), newLogin()]
    pending.add(settings, await connected(), login)
    // The stream of mysql2 is that of TLS by then.
    const stream = await connected()
    expect(pending.take(newSettings(), stream)).toBeUndefined()
    expect(pending.take(settings, stream)).toBe(login)
    expect(pending.take(settings, stream)).toBeUndefined()
  })
})

describe('connections share their settings', () => {
  test('any number of logins: each is taken once, by its own connection', async () => {
    const settings = newSettings()
    const logins = [newLogin(), newLogin(), newLogin()]
    const opened = await Promise.all(logins.map(connected))
    for (const [index, login] of logins.entries()) pending.add(settings, opened[index]!, login)
    for (const index of [2, 0, 1]) expect(pending.take(settings, opened[index]!)).toBe(logins[index])
    for (const socket of opened) expect(pending.take(settings, socket)).toBeUndefined()
  })

  test('the first one is taken before the second comes: the second has its own', async () => {
    const settings = newSettings()
    const [first, second] = [newLogin(), newLogin()]
    const [one, other] = [await connected(), await connected()]
    pending.add(settings, one, first)
    expect(pending.take(settings, one)).toBe(first)
    pending.add(settings, other, second)
    expect(pending.take(settings, one)).toBeUndefined()
    expect(pending.take(settings, other)).toBe(second)
  })

  test('a connection closes before its login is taken: no later connection with the same ends gets it', async () => {
    const settings = newSettings()
    const [one, other] = [await connected(), await connected()]
    pending.add(settings, one, newLogin())
    pending.add(settings, other, newLogin())
    const ends = endsOf(other)
    other.destroy()
    await once(other, 'close')
    expect(pending.take(settings, ends)).toBeUndefined()
  })

  test('a connection whose ends another one has by the time it closes: the other keeps its login', () => {
    const settings = newSettings()
    const ends = {
      localAddress: '127.0.0.1',
      localPort: 50_000,
      remoteAddress: '127.0.0.1',
      remotePort: 3306,
    }
    const [old, current] = [0, 1].map(() => Object.assign(new EventEmitter(), ends) as unknown as Socket)
    const login = newLogin()
    pending.add(settings, old!, newLogin())
    pending.add(settings, current!, login)
    old!.emit('close')
    expect(pending.take(settings, current!)).toBe(login)
  })

  test('the first connection is closed when the second comes: it is not kept', async () => {
    const settings = newSettings()
    const [one, other] = [await connected(), await connected()]
    const ends = endsOf(one)
    pending.add(settings, one, newLogin())
    one.destroy()
    pending.add(settings, other, newLogin())
    expect(pending.take(settings, ends)).toBeUndefined()
  })
})

function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): Socket {
  return { localAddress, localPort, remoteAddress, remotePort } as Socket
}
