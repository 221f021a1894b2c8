import { encodePacket, MAX_PAYLOAD_BYTES, type Packet, PacketReader, WireError } from '@aurora-iam/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anyBytes } from '../arbitraries.ts'

const runs = { seed: 20_261_123, numRuns: 200 }

const packets = fc.array(fc.record({ sequence: fc.nat(255), payload: anyBytes }), { maxLength: 6 })

function drain(reader: PacketReader): Packet[] {
  const found: Packet[] = []
  for (let packet = reader.next(); packet !== undefined; packet = reader.next()) found.push(packet)
  return found
}

test('bytes split anywhere: the same packets', () => {
  fc.assert(
    fc.property(packets, (expected) => {
      const bytes = Buffer.concat(expected.map(encodePacket))
      for (let offset = 0; offset <= bytes.length; offset += 1) {
        const reader = new PacketReader(1024)
        const found: Packet[] = []
        for (const part of [bytes.subarray(0, offset), bytes.subarray(offset)]) {
          reader.push(part)
          found.push(...drain(reader))
        }
        expect(found).toEqual(expected)
        expect(reader.takeRest()).toHaveLength(0)
      }
    }),
    { ...runs, numRuns: 20 },
  )
})

test('one byte at a time: the same packets', () => {
  fc.assert(
    fc.property(packets, (expected) => {
      const reader = new PacketReader(1024)
      const found = [...Buffer.concat(expected.map(encodePacket))].flatMap((byte) => {
        reader.push(Buffer.from([byte]))
        return drain(reader)
      })
      expect(found).toEqual(expected)
    }),
    runs,
  )
})

test('a packet longer than allowed: refused by its header, before its payload arrives', () => {
  const reader = new PacketReader(100)
  reader.push(encodePacket({ sequence: 0, payload: Buffer.alloc(100) }))
  expect(reader.next()?.payload).toHaveLength(100)
  reader.push(Buffer.from([101, 0, 0, 0]))
  expect(() => reader.next()).toThrow(expect.objectContaining({ code: 'ERR_WIRE_TOO_LARGE' }))
})

test('a payload that would need another packet: refused with any limit, in both directions', () => {
  const reader = new PacketReader(Number.POSITIVE_INFINITY)
  reader.push(Buffer.from([255, 255, 255, 0]))
  expect(() => reader.next()).toThrow(WireError)
  expect(() => encodePacket({ sequence: 0, payload: Buffer.alloc(MAX_PAYLOAD_BYTES) })).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_TOO_LARGE' }),
  )
})

test('arbitrary bytes: packets or a WireError, and less than a packet is left over', () => {
  fc.assert(
    fc.property(fc.array(anyBytes), (chunks) => {
      const reader = new PacketReader(64)
      try {
        for (const chunk of chunks) {
          reader.push(chunk)
          drain(reader)
        }
        expect(reader.takeRest().length).toBeLessThan(4 + 64)
      } catch (error) {
        expect(error).toBeInstanceOf(WireError)
      }
    }),
    runs,
  )
})

test('bytes after the last packet: handed back', () => {
  const reader = new PacketReader(64)
  reader.push(Buffer.concat([encodePacket({ sequence: 1, payload: Buffer.from('abc') }), Buffer.from('TLS')]))
  expect(reader.next()?.payload.toString()).toBe('abc')
  expect(reader.takeRest().toString()).toBe('TLS')
  expect(reader.takeRest()).toHaveLength(0)
})
