import { type Duplex, duplexPair } from 'node:stream'
import { encodePacket, PacketChannel, type WireError } from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const header = (length: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUIntLE(length, 0, 3)
  return bytes
}
const packet = (text: string, sequence = 0): Buffer => encodePacket({ sequence, payload: Buffer.from(text) })

/** Returns a channel, its stream and the other end. */
function open(
  ...options: ConstructorParameters<typeof PacketChannel> extends [Duplex, ...infer Rest] ? Rest : never
) {
  const [near, far] = duplexPair()
  return { channel: new PacketChannel(near, ...options), near, far }
}

test('no limit given: a payload of 64 KiB is accepted, and a longer one refused by its header', async () => {
  const { channel, far } = open()
  far.write(Buffer.concat([header(65_536), Buffer.alloc(65_536), header(65_537)]))
  expect((await channel.read()).payload).toHaveLength(65_536)
  await expect(channel.read()).rejects.toMatchObject({ code: 'ERR_WIRE_TOO_LARGE' })
})

test('a limit given: it holds in place of the default', async () => {
  const { channel, far } = open({ maxPayloadBytes: 3 })
  far.write(Buffer.concat([packet('abc'), header(4)]))
  expect((await channel.read()).payload.toString()).toBe('abc')
  await expect(channel.read()).rejects.toMatchObject({ code: 'ERR_WIRE_TOO_LARGE' })
})

test('a packet out of sequence: refused', async () => {
  const { channel, far } = open()
  far.write(packet('abc', 5))
  await expect(channel.read()).rejects.toMatchObject({ code: 'ERR_WIRE_SEQUENCE' })
})

test('packets that are written: numbered from 0, in one row with those that are read', async () => {
  const { channel, far } = open()
  for (const text of ['one', 'two']) channel.write(Buffer.from(text))
  await new Promise(setImmediate)
  expect(far.read()).toEqual(Buffer.concat([packet('one', 0), packet('two', 1)]))
  far.write(packet('abc', 2))
  await channel.read()
  expect(channel.sequence).toBe(3)
})

test('256 packets: the sequence number begins again at 0', async () => {
  const { channel, far } = open()
  for (let sent = 0; sent <= 256; sent += 1) far.write(packet('abc', sent % 256))
  for (let read = 0; read <= 256; read += 1) await channel.read()
  expect(channel.sequence).toBe(1)
})

test('a stream that ends or fails while a read waits: the read rejects, with the error as its cause', async () => {
  const ended = open()
  const first = ended.channel.read()
  ended.far.end()
  await expect(first).rejects.toSatisfy(
    (error: WireError) => error.code === 'ERR_WIRE_CLOSED' && !Object.hasOwn(error, 'cause'),
  )
  const failed = open()
  const second = failed.channel.read()
  const failure = new Error('cut')
  failed.near.destroy(failure)
  await expect(second).rejects.toMatchObject({ code: 'ERR_WIRE_CLOSED', cause: failure })
})

test('a stream that fails between two reads: the next read rejects with the error as its cause', async () => {
  const { channel, near } = open()
  const failure = new Error('cut')
  near.destroy(failure)
  await new Promise((resolve) => near.once('close', resolve))
  await expect(channel.read()).rejects.toMatchObject({ code: 'ERR_WIRE_CLOSED', cause: failure })
})

test('bytes behind the last packet: put back into the stream when it is released', async () => {
  const { channel, near, far } = open()
  far.write(Buffer.concat([packet('ok'), Buffer.from('TLS')]))
  expect((await channel.read()).payload.toString()).toBe('ok')
  channel.release()
  expect(channel.stream).toBe(near)
  expect(near.read().toString()).toBe('TLS')
  expect(near.listenerCount('error')).toBe(0)
})

test.each([
  ['ended', (far: Duplex) => far.end(header(3))],
  ['was destroyed', (far: Duplex, near: Duplex) => far.write(header(3), () => near.destroy())],
])('a stream that %s inside a packet: it is released without an error', async (_, close) => {
  const { channel, near, far } = open()
  const reading = channel.read()
  close(far, near)
  await expect(reading).rejects.toMatchObject({ code: 'ERR_WIRE_CLOSED' })
  const errors: Error[] = []
  near.on('error', (error) => errors.push(error))
  channel.release()
  await new Promise(setImmediate)
  expect(errors).toEqual([])
})
