import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { until } from '@aurora-iam/test-support/until'
import { encodePacket, PacketChannel, relay } from '@aurora-iam/wire'
import { afterEach, expect, test } from 'vitest'
import { CHANGE_USER, command, neverIntercept, QUERY, relayed } from './commands.ts'

const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** Returns the two ends of one loopback connection. */
async function socketPair(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = createConnection((server.address() as { port: number }).port, '127.0.0.1')
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ]
  server.close()
  for (const socket of [near, far]) socket.on('error', () => {})
  sockets.push(near, far)
  return [near, far]
}

const text = async (socket: Socket, length: number): Promise<string> => {
  for (;;) {
    const bytes: Buffer | null = socket.read(length)
    if (bytes !== null) return bytes.toString()
    await once(socket, 'readable')
  }
}

test('an intercepted command: bytes go both ways before it and after it', async () => {
  const [client, clientSide] = await socketPair()
  const [serverSide, server] = await socketPair()
  const ended = relay(clientSide, serverSide, {
    command: CHANGE_USER,
    maxPayloadBytes: 1024,
    handle: async ({ payload }) => {
      const channel = new PacketChannel(clientSide)
      channel.sequence = 1
      channel.write(Buffer.from(`seen ${payload.subarray(1)}`))
      expect((await channel.read()).payload.toString()).toBe('answer')
      channel.release()
    },
  })
  const answer = encodePacket({ sequence: 2, payload: Buffer.from('answer') })
  client.write(
    Buffer.concat([command(QUERY, 'one'), command(CHANGE_USER, 'app'), answer, command(QUERY, 'two')]),
  )
  expect(await text(server, 8)).toBe(command(QUERY, 'one').toString())
  expect(await text(client, 12)).toBe('\x08\x00\x00\x01seen app')
  expect(await text(server, 8)).toBe(command(QUERY, 'two').toString())
  server.write('result')
  expect(await text(client, 6)).toBe('result')
  client.end()
  expect(await ended).toEqual({ by: 'client' })
})

test('a client closes its side alone: the server sees the end, and its answer still passes', async () => {
  const [client, clientSide] = await socketPair()
  const [serverSide, server] = await socketPair()
  for (const socket of [client, server]) socket.allowHalfOpen = true
  const ended = relay(clientSide, serverSide, neverIntercept)
  client.end(command(QUERY, 'one'))
  expect(await text(server, 8)).toBe(command(QUERY, 'one').toString())
  await once(server.resume(), 'end')
  server.end('the answer')
  expect(await text(client, 10)).toBe('the answer')
  await once(client.resume(), 'close')
  expect(await ended).toEqual({ by: 'client' })
})

test('a receiver that does not keep up: the sender is held back, and nothing is lost', async () => {
  const [client, clientSide] = await socketPair()
  const [serverSide, server] = await socketPair()
  const ended = relay(clientSide, serverSide, neverIntercept)
  const total = 32 * 1024 * 1024
  client.pause()
  let sent = 0
  const chunk = Buffer.alloc(1024 * 1024, 7)
  for (; sent < total; sent += chunk.length) server.write(chunk)
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(clientSide.writableLength + serverSide.readableLength).toBeLessThan(1024 * 1024)
  expect(server.writableLength).toBeGreaterThan(0)
  let received = 0
  client
    .on('data', (bytes: Buffer) => {
      received += bytes.length
    })
    .resume()
  server.end()
  await once(client, 'close')
  expect(received).toBe(total)
  expect(await ended).toEqual({ by: 'server' })
})

test('a command in pieces: each piece leaves in one write, and nothing is written for what is held back', async () => {
  const passedBy: string[] = []
  const { client, serverSide, ended } = relayed({
    ...neverIntercept,
    onPassed: (from) => passedBy.push(from),
  })
  const written: number[] = []
  const write = serverSide.write.bind(serverSide) as (chunk: Buffer) => boolean
  serverSide.write = ((chunk: Buffer) => {
    written.push(chunk.length)
    return write(chunk)
  }) as typeof serverSide.write
  const bytes = command(QUERY, 'SELECT 1')
  for (const piece of [bytes.subarray(0, 2), bytes.subarray(2, 9), bytes.subarray(9)]) {
    client.write(piece)
    await until(() => passedBy.length)
    passedBy.length = 0
  }
  expect(written).toEqual([9, 4])
  client.end()
  serverSide.destroy()
  await ended
})

test('a server that is held back when a command is intercepted: it stays so, and nothing is lost', async () => {
  let received = 0
  const { client, server, ended } = relayed({
    ...neverIntercept,
    handle: async () => {
      // The client reads everything that was waiting for it, which would let a relay go on.
      for (let bytes = client.read(); bytes !== null; bytes = client.read()) {
        received += bytes.length
        await new Promise(setImmediate)
      }
    },
  })
  const total = 1024 * 1024
  server.write(Buffer.alloc(total))
  await until(() => client.readableLength > 0)
  client.write(command(CHANGE_USER))
  await until(() => received > 0)
  client.on('data', (bytes: Buffer) => {
    received += bytes.length
  })
  await until(() => received === total)
  for (const end of [server, client]) end.end()
  await ended
})
