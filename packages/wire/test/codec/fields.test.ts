import { expect, test } from 'vitest'
import { ByteReader } from '../../src/codec/byte-reader.ts'
import { ByteWriter } from '../../src/codec/byte-writer.ts'

const malformed = expect.objectContaining({ name: 'WireError', code: 'ERR_WIRE_MALFORMED' })
const reader = (hex: string): ByteReader => new ByteReader(Buffer.from(hex, 'hex'))

// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html
test.each([
  [0n, '00'],
  [250n, 'fa'],
  [251n, 'fcfb00'],
  [0xffffn, 'fcffff'],
  [0x1_0000n, 'fd000001'],
  [0xff_ffffn, 'fdffffff'],
  [0x100_0000n, 'fe0000000100000000'],
  [2n ** 64n - 1n, 'feffffffffffffffff'],
])('the length-encoded integer %s: written in the fewest bytes, and read back', (value, hex) => {
  expect(new ByteWriter().lengthEncodedInteger(value).toBuffer().toString('hex')).toBe(hex)
  const read = reader(hex)
  expect(read.lengthEncodedInteger()).toBe(value)
  expect(read.remaining).toBe(0)
})

test.each(['fb', 'ff'])('a length that begins with %s: refused, whatever follows', (first) => {
  expect(() => reader(`${first}0000000000000000`).lengthEncodedInteger()).toThrow(malformed)
})

test('a field that is longer than the rest of the packet: refused', () => {
  expect(() => reader('0102').integer(3)).toThrow(malformed)
  expect(() => reader('03aabb').lengthEncodedBytes()).toThrow(malformed)
  expect(() => reader('feffffffffffffffff').lengthEncodedBytes()).toThrow(malformed)
  expect(reader('02aabb').lengthEncodedBytes().toString('hex')).toBe('aabb')
})

test('a string without a NUL: refused, unless it may be the rest of the packet', () => {
  expect(() => reader('616263').nulTerminated()).toThrow(malformed)
  expect(reader('616263').nulTerminatedOrRest()).toBe('abc')
  const read = reader('6162630064')
  expect(read.nulTerminatedOrRest()).toBe('abc')
  expect(read.nulTerminatedOrRest()).toBe('d')
})

test.each([
  [255, 1],
  [0xffff, 2],
  [0xff_ffff, 3],
  [0xffff_ffff, 4],
] as const)('%s: the greatest number of a field of %s bytes', (greatest, length) => {
  const write = (value: number) => new ByteWriter().integer(value, length).toBuffer()
  expect(write(greatest)).toEqual(Buffer.alloc(length, 255))
  expect(write(0)).toEqual(Buffer.alloc(length))
  for (const value of [greatest + 1, -1, 0.5, Number.NaN]) expect(() => write(value)).toThrow(malformed)
})

test('a string with a NUL: refused, because the server would read another user', () => {
  expect(() => new ByteWriter().nulTerminated('app\0admin')).toThrow(malformed)
})

test('a number that 64 bits cannot hold: refused', () => {
  for (const value of [2n ** 64n, -1n]) {
    expect(() => new ByteWriter().lengthEncodedInteger(value)).toThrow(malformed)
  }
})
