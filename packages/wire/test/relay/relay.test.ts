import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { CommandScanner, encodePacket, PacketChannel, relay } from '@aurora-iam/wire'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { anyBytes } from '../arbitraries.ts'

const CHANGE_USER = 0x11
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

const neverIntercept = {
  command: CHANGE_USER,
  maxPayloadBytes: 1024,
  handle: () => Promise.reject(new Error('nothing was to be intercepted')),
}

const text = async (socket: Socket, length: number): Promise<string> => {
  for (;;) {
    const bytes: Buffer | null = socket.read(length)
    if (bytes !== null) return bytes.toString()
    await once(socket, 'readable')
  }
}

const command = (byte: number, body = ''): Buffer =>
  encodePacket({ sequence: 0, payload: Buffer.concat([Buffer.from([byte]), Buffer.from(body)]) })

test('bytes split anywhere: the command is found, and all other bytes pass unchanged', () => {
  const other = fc
    // Not 255: a command with number 0 right after it would be the rest of a file.
    .record({ sequence: fc.nat(254), payload: anyBytes })
    .filter(({ payload }) => payload[0] !== CHANGE_USER)
  fc.assert(
    fc.property(fc.array(other, { maxLength: 3 }), fc.array(other, { maxLength: 3 }), (before, after) => {
      const head = Buffer.concat(before.map(encodePacket))
      const tail = Buffer.concat(after.map(encodePacket))
      const bytes = Buffer.concat([head, command(CHANGE_USER, 'app'), tail])
      for (let offset = 0; offset <= bytes.length; offset += 1) {
        const scanner = new CommandScanner(CHANGE_USER, 1024)
        const passed: Buffer[] = []
        const commands: string[] = []
        for (const half of [bytes.subarray(0, offset), bytes.subarray(offset)]) {
          let part: Buffer = half
          while (part.length > 0) {
            const scanned = scanner.push(part)
            passed.push(...scanned.pass)
            if (scanned.command) commands.push(scanned.command.payload.toString())
            part = scanned.rest
          }
        }
        expect(Buffer.concat(passed)).toEqual(Buffer.concat([head, tail]))
        expect(commands).toEqual(['\x11app'])
      }
    }),
    { seed: 20_261_123, numRuns: 15 },
  )
})

test('the second packet of a long payload: not taken for a command', () => {
  const scanner = new CommandScanner(CHANGE_USER, 1024)
  const long = Buffer.concat([Buffer.from([255, 255, 255, 0]), Buffer.alloc(0xff_ff_ff)])
  scanner.push(long)
  expect(scanner.push(command(CHANGE_USER)).command).toBeUndefined()
  expect(scanner.push(command(CHANGE_USER)).command).toBeDefined()
})

test('a file of more than 255 packets: the packet with number 0 is data, the one after its end a command', () => {
  const scanner = new CommandScanner(CHANGE_USER, 1024)
  const data = (sequence: number) => encodePacket({ sequence, payload: Buffer.from([CHANGE_USER, 1]) })
  for (let sent = 2; sent < 2 + 512; sent += 1) {
    expect(scanner.push(data(sent % 256)).command).toBeUndefined()
  }
  // The file ends at number 255, so that the next number 0 is a command.
  for (let sent = 2; sent < 255; sent += 1) scanner.push(data(sent))
  scanner.push(encodePacket({ sequence: 255, payload: Buffer.alloc(0) }))
  expect(scanner.push(command(CHANGE_USER)).command).toBeDefined()
})

test('a command that is too long: refused by its header', () => {
  const scanner = new CommandScanner(CHANGE_USER, 10)
  expect(() => scanner.push(command(CHANGE_USER, 'x'.repeat(10)))).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_TOO_LARGE' }),
  )
})

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
  client.write(Buffer.concat([command(3, 'one'), command(CHANGE_USER, 'app'), answer, command(3, 'two')]))
  expect(await text(server, 8)).toBe(command(3, 'one').toString())
  expect(await text(client, 12)).toBe('\x08\x00\x00\x01seen app')
  expect(await text(server, 8)).toBe(command(3, 'two').toString())
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
  client.end(command(3, 'one'))
  expect(await text(server, 8)).toBe(command(3, 'one').toString())
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

test('an interception that fails: both sides end, with its error as the reason', async () => {
  const [client, clientSide] = await socketPair()
  const [serverSide, server] = await socketPair()
  const failure = new Error('refused')
  const ended = relay(clientSide, serverSide, {
    command: CHANGE_USER,
    maxPayloadBytes: 1024,
    handle: () => Promise.reject(failure),
  })
  client.resume()
  server.resume()
  client.write(command(CHANGE_USER))
  expect(await ended).toEqual({ by: 'interception', error: failure })
})

test('a server that hangs up after COM_QUIT: the client ended the session', async () => {
  const [client, clientSide] = await socketPair()
  const [serverSide, server] = await socketPair()
  const ended = relay(clientSide, serverSide, neverIntercept)
  client.resume()
  server.once('data', () => server.end())
  client.write(command(1))
  expect(await ended).toEqual({ by: 'client' })
})
