import { describe, expect, test } from 'vitest'
import { GreetingGuard } from '../../src/tls/greeting-guard.ts'

const REFUSED = expect.objectContaining({ code: 'ERR_AURORA_IAM_TLS_REQUIRED' })

/** Encodes a packet of `length` bytes behind its header of four. */
function packet(length: number): Buffer {
  const bytes = Buffer.alloc(4 + length)
  bytes.writeUIntLE(length, 0, 3)
  return bytes
}

/** Returns what a new guard answers to each of `chunks`. */
function answers(...chunks: Uint8Array[]) {
  const guard = new GreetingGuard()
  return chunks.map((chunk) => guard.check(chunk))
}

describe('what a server sends before TLS', () => {
  test.each([1, 78, 255, 256, 0xff_ff])('one greeting of %i bytes: accepted', (length) => {
    expect(answers(packet(length))).toEqual([undefined])
  })

  test.each([1, 78, 256])('one byte more than a greeting of %i bytes: refused', (length) => {
    expect(answers(Buffer.concat([packet(length), Buffer.alloc(1)]))).toEqual([REFUSED])
    expect(answers(packet(length), Buffer.alloc(1))).toEqual([undefined, REFUSED])
  })

  test('a greeting of more than 65,535 bytes: refused as soon as its length is known', () => {
    expect(answers(packet(0x01_00_00).subarray(0, 3))).toEqual([REFUSED])
    expect(answers(packet(0x01_00_00).subarray(0, 2), packet(0x01_00_00).subarray(2, 3))).toEqual([
      undefined,
      REFUSED,
    ])
  })

  test.each([0x4e, 0x01_4e, 0xff_ff])(
    'a greeting of %i bytes in pieces of one byte: accepted, and the byte after it refused',
    (length) => {
      const guard = new GreetingGuard()
      for (const byte of packet(length)) expect(guard.check(Uint8Array.of(byte))).toBeUndefined()
      expect(guard.check(Uint8Array.of(0))).toEqual(REFUSED)
    },
  )

  test('a packet number above 0: it is no part of the length', () => {
    const bytes = packet(10)
    bytes[3] = 1
    expect(answers(bytes)).toEqual([undefined])
  })

  test('an empty chunk: nothing changes', () => {
    expect(answers(Buffer.alloc(0), packet(10), Buffer.alloc(0))).toEqual([undefined, undefined, undefined])
  })
})
