import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { until } from '@aurora-iam/test-support/until'
import { Capability, encodeGreeting, encodePacket } from '@aurora-iam/wire'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { GuardedStream } from '../../src/connect/guarded-stream.ts'

const GREETING = encodePacket({
  sequence: 0,
  payload: encodeGreeting({
    serverVersion: '8.0.39',
    connectionId: 1,
    scramble: Buffer.alloc(20, 's'),
    capabilities: Capability.SSL | Capability.LONG_PASSWORD,
    collation: 45,
    status: 2,
    authPlugin: 'mysql_native_password',
  }),
})

let server: Server
let streams: GuardedStream[]
let clients: Socket[]

beforeEach(async () => {
  streams = []
  clients = []
  server = createServer((client) => clients.push(client.on('error', () => {}).resume()))
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterEach(async () => {
  vi.restoreAllMocks()
  for (const one of [...streams, ...clients]) one.destroy()
  await once(server.close(), 'close')
})

/** Opens a stream to the server, with a listener of each kind, as mariadb has them. */
async function open(confirmPermit?: () => Promise<void> | undefined) {
  const { port } = server.address() as AddressInfo
  const stream = new GuardedStream({ host: '127.0.0.1', port }, confirmPermit)
  streams.push(stream)
  const received: string[] = []
  const ends: unknown[] = []
  const errors: Array<Error & { code?: string }> = []
  stream.on('end', (reason?: Error) => ends.push(reason))
  stream.on('error', (error) => errors.push(error))
  stream.on('data', (bytes: Buffer) => received.push(bytes.toString('latin1')))
  await once(stream, 'connect')
  await until(() => clients.length === streams.length)
  return { stream, client: clients.at(-1) as Socket, received, ends, errors }
}

/** Opens a stream on which TLS has begun: mariadb's listener is gone, and that of the TLS socket is there. */
async function openSecured() {
  const opened = await open()
  const records: string[] = []
  opened.client.write(GREETING)
  await until(() => opened.received.length > 0)
  opened.stream.on('data', (bytes: Buffer) => records.push(bytes.toString('latin1')))
  opened.stream.removeAllListeners('data')
  return { ...opened, records }
}

const record = (text: string): Buffer =>
  Buffer.concat([Buffer.from([23, 3, 3, 0, text.length]), Buffer.from(text)])
const textOf = (records: string[]): string[] => records.map((one) => one.slice(5))

test('a greeting: passed on, and what mariadb writes reaches the server', async () => {
  const { stream, client, received } = await open()
  client.write(GREETING)
  await until(() => received.join('') === GREETING.toString('latin1'))
  expect(stream.remoteAddress).toBe('127.0.0.1')
  stream.write('response')
  const [response] = await once(client, 'data')
  expect(String(response)).toBe('response')
  stream.end()
  await once(client, 'end')
})

test('bytes behind the greeting before TLS: the stream fails, and mariadb gets none of them', async () => {
  const { stream, client, received, errors } = await open()
  client.write(Buffer.concat([GREETING, Buffer.from('injected')]))
  await until(() => errors.length > 0)
  expect(received).toEqual([])
  expect(stream.isBroken).toBe(true)
})

test('a permit to confirm: once, and mariadb gets the greeting after it', async () => {
  let confirm = () => {}
  let asked = 0
  const { client, received, ends } = await open(() => {
    asked++
    return new Promise<void>((resolve) => {
      confirm = resolve
    })
  })
  client.write(GREETING.subarray(0, 10))
  await until(() => asked === 1)
  client.write(GREETING.subarray(10))
  await new Promise(setImmediate)
  expect(received).toEqual([])
  confirm()
  await until(() => received.join('') === GREETING.toString('latin1'))
  expect(asked).toBe(1)
  client.end()
  await until(() => ends.length > 0)
})

test('no permit to confirm: mariadb gets the greeting at once', async () => {
  const { client, received } = await open(() => undefined)
  client.write(GREETING)
  await until(() => received.length === 1)
})

test('a permit that is refused: the stream fails with its error', async () => {
  const refusal = new Error('refused')
  const { client, received, errors } = await open(() => Promise.reject(refusal))
  client.write(GREETING)
  await until(() => errors.length > 0)
  expect([errors, received]).toEqual([[refusal], []])
})

test('a server that closes while a permit is waited for: mariadb gets the greeting, and then the end', async () => {
  let confirm = () => {}
  const { stream, client, received, ends } = await open(
    () =>
      new Promise<void>((resolve) => {
        confirm = resolve
      }),
  )
  client.end(GREETING)
  await until(() => client.closed)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect([received, ends, stream.destroyed]).toEqual([[], [], false])
  confirm()
  await until(() => ends.length > 0)
  expect([received, ends]).toEqual([[GREETING.toString('latin1')], [undefined]])
})

test('a stream that is destroyed while a permit is waited for: mariadb gets nothing', async () => {
  let confirm = () => {}
  const { stream, client, received } = await open(
    () =>
      new Promise<void>((resolve) => {
        confirm = resolve
      }),
  )
  client.write(GREETING)
  await new Promise((resolve) => setTimeout(resolve, 20))
  stream.destroy()
  confirm()
  await new Promise(setImmediate)
  expect(received).toEqual([])
})

test('the end of the connection before TLS: an end for the one, and its error for the other', async () => {
  const ended = await open()
  ended.client.end()
  await until(() => ended.ends.length > 0)
  expect(ended.errors).toEqual([])
  await until(() => ended.client.closed && ended.stream.destroyed)
  const reset = await open()
  reset.client.resetAndDestroy()
  await until(() => reset.errors.length > 0)
  expect(reset.errors).toMatchObject([{ code: 'ECONNRESET' }])
  expect(reset.stream.networkError).toBe(reset.errors[0])
})

test('bytes that mariadb throws at: before TLS an error of the stream, and after it the reason of its end', async () => {
  const cause = new TypeError('mariadb cannot read it')
  const before = await open()
  before.stream.prependListener('data', () => {
    throw cause
  })
  before.client.write(GREETING)
  await until(() => before.errors.length > 0)
  expect(before.errors).toMatchObject([{ code: 'EPROTO', syscall: 'read', cause }])

  const after = await openSecured()
  after.stream.on('data', () => {
    throw cause
  })
  after.client.write(record('one'))
  await until(() => after.ends.length > 0)
  expect(after.ends).toMatchObject([{ code: 'EPROTO', cause }])
  expect(after.errors).toEqual([])
  expect(after.stream.isBroken).toBe(true)
})

test('TLS begins: of the data listeners mariadb’s own is removed, and other events lose theirs', async () => {
  const { stream, client, received, records } = await openSecured()
  client.write(record('one'))
  await until(() => records.length > 0)
  expect(received).toHaveLength(1)
  stream.removeAllListeners('timeout')
  expect(stream.listenerCount('data')).toBe(1)
  stream.removeAllListeners('error')
  expect(stream.listenerCount('error')).toBe(0)
})

test('records that come together: mariadb gets one in each turn of the event loop, and the end behind them', async () => {
  const { stream, client, records, ends } = await openSecured()
  const turns: number[] = []
  let turn = 0
  const count = () => {
    turn++
    if (ends.length === 0) setImmediate(count)
  }
  setImmediate(count)
  stream.on('data', () => turns.push(turn))
  client.end(Buffer.concat(['one', 'two', 'three'].map(record)))
  await until(() => ends.length > 0)
  expect(textOf(records)).toEqual(['one', 'two', 'three'])
  expect(new Set(turns).size).toBe(3)
  expect([ends, stream.isBroken]).toEqual([[undefined], true])
})

test('many records, in several pieces: mariadb gets each in a separate turn, in order', async () => {
  const { stream, client, records } = await openSecured()
  const bytes = Buffer.concat(Array.from({ length: 300 }, (_, index) => record(String(index).padEnd(250))))
  const isComplete = () => records.join('').length === bytes.length
  const turns = new Set<number>()
  let turn = 0
  const count = () => {
    turn++
    if (!isComplete()) setImmediate(count)
  }
  setImmediate(count)
  stream.on('data', () => turns.add(turn))
  client.write(bytes)
  await until(isComplete)
  expect(records.join('')).toBe(bytes.toString('latin1'))
  // A record that came in two pieces takes two turns.
  expect(records.length).toBeGreaterThanOrEqual(300)
  expect(turns.size).toBe(records.length)
})

test.each([
  { count: 63, whenPaused: [], whenResumed: 1 },
  { count: 64, whenPaused: [0], whenResumed: 1 },
  { count: 200, whenPaused: [0], whenResumed: 137 },
])('$count records at once: the socket pauses until fewer than 64 are left', async (expected) => {
  const { client, records } = await openSecured()
  const { port } = server.address() as AddressInfo
  const [whenPaused, whenResumed]: [number[], number[]] = [[], []]
  for (const [name, calls] of [
    ['pause', whenPaused],
    ['resume', whenResumed],
  ] as const) {
    const original = Socket.prototype[name]
    vi.spyOn(Socket.prototype, name).mockImplementation(function (this: Socket) {
      if (this.remotePort === port) calls.push(records.length)
      return original.call(this)
    })
  }
  client.write(Buffer.concat(Array.from({ length: expected.count }, () => record('x'))))
  await until(() => records.length === expected.count)
  expect({ count: expected.count, whenPaused, whenResumed: whenResumed[0] }).toEqual(expected)
})

test('a connection with a listener for errors: records pass as they come', async () => {
  const { stream, client, records } = await openSecured()
  stream.hasErrorListener = true
  const together = Buffer.concat(['one', 'two'].map(record))
  client.write(together)
  await until(() => records.length > 0)
  expect(records).toEqual([together.toString('latin1')])
})

test('a connection that is reset after TLS has begun: its error is the reason of the end', async () => {
  const { stream, client, ends, errors } = await openSecured()
  client.resetAndDestroy()
  await until(() => ends.length > 0)
  expect(ends).toMatchObject([{ code: 'ECONNRESET' }])
  expect([errors, stream.isBroken, stream.networkError]).toEqual([[], true, ends[0]])
})

test('a connection that is broken off: one end with the reason, and nothing afterwards', async () => {
  const { stream, client, records, ends, errors } = await openSecured()
  const reason = new Error('broken off')
  stream.once('data', () => stream.breakOff(reason))
  client.write(Buffer.concat(['one', 'two', 'three'].map(record)))
  await until(() => ends.length > 0)
  stream.breakOff(new Error('again'))
  await until(() => client.closed)
  await new Promise((resolve) => stream.write('lost', resolve))
  expect(textOf(records)).toEqual(['one'])
  expect([ends, errors]).toEqual([[reason], []])
})

test('more than mariadb reads: the server is held back, and nothing is lost', async () => {
  const { stream, client, records } = await openSecured()
  const total = 4_000
  const bytes = Buffer.concat(Array.from({ length: total }, (_, index) => record(String(index).padEnd(250))))
  client.write(bytes)
  await until(() => records.length > 0)
  stream.hasErrorListener = true
  await until(() => records.join('').length === bytes.length)
  expect(records.join('')).toBe(bytes.toString('latin1'))
})

test('a listener of another event that throws: its error reaches the caller', async () => {
  const { stream } = await open()
  const failure = new Error('of the listener')
  stream.on('custom', () => {
    throw failure
  })
  expect(() => stream.emit('custom')).toThrow(failure)
  stream.on('data', () => {
    throw failure
  })
  expect(stream.emit('data', Buffer.of(1))).toBe(true)
})

test('TLS begins and mariadb has no listener: none is removed', async () => {
  const stream = new GuardedStream({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  streams.push(stream)
  expect(stream.removeAllListeners('data')).toBe(stream)
})

test('a time-out of the socket: reported to the listener', async () => {
  const { stream } = await open()
  await new Promise<void>((resolve) => stream.setTimeout(10, resolve))
})
