import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { LoginAttempt } from '@aurora-iam/core/adapter'
import { encodeErr, encodePacket } from '@aurora-iam/wire'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DeferredSocket } from '../src/connect/deferred-socket.ts'

const greeting = encodePacket({ sequence: 0, payload: Buffer.from('\n8.0.39\0 and so on') })
const refused = encodePacket({
  sequence: 0,
  payload: encodeErr({ errno: 1040, sqlState: '08004', message: 'Too many connections' }),
})
const turns = () => new Promise((resolve) => setImmediate(resolve))

let socket: DeferredSocket
let events: unknown[]

beforeEach(() => {
  socket = new DeferredSocket()
  const seen: unknown[] = []
  events = seen
  socket.on('data', (bytes) => seen.push(bytes))
  socket.on('end', () => seen.push('end'))
  socket.on('error', (error) => seen.push(error))
})

afterEach(() => {
  socket.destroy()
})

/** Follows a login, whose permit may have gone back while the server was unresponsive. */
function followed({ isMissing }: { isMissing: boolean }) {
  let confirmed = 0
  const listeners: Array<() => void> = []
  let grant = () => {}
  let refuse: (reason: Error) => void = () => {}
  const permit = new Promise<void>((resolve, reject) => {
    grant = resolve
    refuse = reject
  })
  const login = {
    confirmPermit: () => {
      confirmed += 1
      return isMissing ? permit : undefined
    },
    onEnd: (listener: () => void) => listeners.push(listener),
  }
  socket.follow(login as unknown as LoginAttempt)
  return {
    grant,
    refuse,
    end: () => {
      for (const listener of listeners) listener()
    },
    get confirmed() {
      return confirmed
    },
  }
}

describe('a login that has its permit', () => {
  test('the greeting: passed on in its pieces, and the permit is confirmed at the first', async () => {
    const login = followed({ isMissing: false })
    const pieces = [greeting.subarray(0, 3), greeting.subarray(3)]
    for (const piece of pieces) socket.push(piece)
    await turns()
    expect(events).toEqual(pieces)
    expect(login.confirmed).toBe(1)
  })

  test('the end of the connection in place of the greeting: passed on, and no permit is confirmed', async () => {
    const login = followed({ isMissing: false })
    expect(socket.push(null)).toBe(false)
    await turns()
    expect(events).toEqual(['end'])
    expect([login.confirmed, socket.refusal]).toEqual([0, undefined])
  })

  test('more than a greeting: destroyed, and nothing of that chunk is passed on', async () => {
    followed({ isMissing: false })
    expect(socket.push(Buffer.concat([greeting, Buffer.of(0)]))).toBe(false)
    await turns()
    expect(events).toMatchObject([{ code: 'ERR_AURORA_IAM_TLS_REQUIRED' }])
  })

  test('an error in place of the greeting: known until the login is over', () => {
    const login = followed({ isMissing: false })
    socket.push(refused.subarray(0, 9))
    expect(socket.refusal).toBeUndefined()
    socket.push(refused.subarray(9))
    expect(socket.refusal).toMatchObject({ errno: 1040 })
    login.end()
    expect(socket.refusal).toBeUndefined()
  })
})

describe('a login that must wait for another permit', () => {
  test('what the server sends: held until the permit is there, then passed on in order', async () => {
    const login = followed({ isMissing: true })
    const pieces = [greeting.subarray(0, 5), greeting.subarray(5)]
    for (const piece of pieces) expect(socket.push(piece)).toBe(true)
    await turns()
    expect(events).toEqual([])
    login.grant()
    await turns()
    expect(events).toEqual(pieces)
    expect(login.confirmed).toBe(1)
  })

  test('what the server sends afterwards: passed on at once', async () => {
    const login = followed({ isMissing: true })
    socket.push(greeting.subarray(0, 5))
    login.grant()
    await turns()
    socket.push(greeting.subarray(5))
    await turns()
    expect(Buffer.concat(events as Buffer[])).toEqual(greeting)
  })

  test('the server closes meanwhile: the end alone is passed on, so that TLS does not begin', async () => {
    const login = followed({ isMissing: true })
    for (const piece of [greeting.subarray(0, 5), greeting.subarray(5), null]) socket.push(piece)
    login.grant()
    await turns()
    expect(events).toEqual(['end'])
  })

  test('an error in place of the greeting, and the end: both are passed on', async () => {
    const login = followed({ isMissing: true })
    socket.push(refused)
    socket.push(null)
    login.grant()
    await turns()
    expect(events).toEqual([refused, 'end'])
  })

  test('no permit: destroyed with the reason', async () => {
    const login = followed({ isMissing: true })
    socket.push(greeting)
    const reason = new Error('closed')
    login.refuse(reason)
    await turns()
    expect(events).toEqual([reason])
    expect(socket.destroyed).toBe(true)
  })
})

describe('an end before the server has sent anything', () => {
  test('no connection yet: destroyed', async () => {
    socket.end()
    await once(socket, 'close')
    expect(socket.destroyed).toBe(true)
  })

  test('a connection: its end is sent, and the socket stays open for the answer', async () => {
    const server = createServer({ allowHalfOpen: true })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const connected = [once(server, 'connection'), once(socket, 'connect')] as const
    socket.connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [[peer]] = await Promise.all(connected)
    socket.end()
    peer.resume()
    await once(peer, 'end')
    expect(socket.destroyed).toBe(false)
    peer.destroy()
    server.close()
  })
})
