import { CommandScanner, encodePacket, type Rewriting } from '@aurora-iam/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyBytes } from '../arbitraries.ts'
import { CHANGE_USER, command, QUERY, QUIT } from './commands.ts'

const passed = (scanner: CommandScanner, bytes: Buffer): string =>
  Buffer.concat(scanner.push(bytes).pass).toString('latin1')

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
  expect(scanner.push(command(CHANGE_USER, 'x'.repeat(9))).command?.payload).toHaveLength(10)
  expect(() => scanner.push(command(CHANGE_USER, 'x'.repeat(10)))).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_TOO_LARGE' }),
  )
})

test('other commands and the packets that continue them: only the first byte of a command is the latest', () => {
  const scanner = new CommandScanner(CHANGE_USER, 1024)
  expect(scanner.latest).toBeUndefined()
  scanner.push(command(QUERY, 'one'))
  expect(scanner.latest).toBe(QUERY)
  scanner.push(encodePacket({ sequence: 1, payload: Buffer.from([QUIT]) }))
  expect(scanner.latest).toBe(QUERY)
  scanner.push(command(QUIT))
  expect(scanner.latest).toBe(QUIT)
})

test('a piece of the command: held back until the rest is there', () => {
  const scanner = new CommandScanner(CHANGE_USER, 1024)
  const bytes = command(CHANGE_USER, 'app')
  for (let end = 1; end < bytes.length; end += 1) {
    expect(scanner.push(bytes.subarray(end - 1, end))).toEqual({
      pass: [],
      command: undefined,
      rest: Buffer.alloc(0),
    })
  }
  expect(scanner.push(bytes.subarray(-1)).command).toEqual({ sequence: 0, payload: bytes.subarray(4) })
})

test('commands to rewrite: each is changed in a packet of its new length, however its bytes are split', () => {
  const rewriting: Rewriting = {
    commands: [QUERY, 22],
    maxPayloadBytes: 5,
    rewrite: (payload) => Buffer.concat([payload, Buffer.from('!!')]),
  }
  const bytes = Buffer.concat([
    command(QUERY, 'four'),
    command(QUERY, 'longer'), // than may be rewritten
    encodePacket({ sequence: 1, payload: Buffer.from([QUERY]) }), // no command
    command(4, 'four'),
    encodePacket({ sequence: 0, payload: Buffer.alloc(0) }),
    command(22),
  ])
  const expected = Buffer.concat([
    command(QUERY, 'four!!'),
    command(QUERY, 'longer'),
    encodePacket({ sequence: 1, payload: Buffer.from([QUERY]) }),
    command(4, 'four'),
    encodePacket({ sequence: 0, payload: Buffer.alloc(0) }),
    command(22, '!!'),
  ]).toString('latin1')
  for (let offset = 0; offset <= bytes.length; offset += 1) {
    const scanner = new CommandScanner(CHANGE_USER, 1024, rewriting)
    const parts = [bytes.subarray(0, offset), bytes.subarray(offset)]
    expect(parts.map((part) => passed(scanner, part)).join('')).toBe(expected)
    expect(scanner.latest).toBe(22)
  }
})
