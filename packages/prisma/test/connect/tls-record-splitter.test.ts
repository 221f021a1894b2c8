import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TlsRecordSplitter } from '../../src/connect/tls-record-splitter.ts'

// Without the size most of them would be shorter than 256 bytes, whose length has one byte.
const record = fc.uint8Array({ maxLength: 600, size: 'max' }).map((payload) => {
  const header = Buffer.from([0x17, 0x03, 0x03, 0, 0])
  header.writeUInt16BE(payload.length, 3)
  return Buffer.concat([header, payload])
})

test('records in any pieces: found', () => {
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(3_100), { maxLength: 8 }),
      (records, cuts) => {
        const bytes = Buffer.concat(records)
        const positions = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
          (a, b) => a - b,
        )
        const splitter = new TlsRecordSplitter()
        const found: Buffer[] = []
        let isWhole = true
        for (const [index, start] of positions.slice(0, -1).entries()) {
          for (const piece of splitter.split(bytes.subarray(start, positions[index + 1]))) {
            if (isWhole) found.push(piece)
            else found[found.length - 1] = Buffer.concat([found.at(-1) as Buffer, piece])
            isWhole = found.at(-1)?.length === records[found.length - 1]?.length
          }
        }
        expect(found).toEqual(records)
      },
    ),
  )
})

test('bytes that are not TLS: passed on unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
      const splitter = new TlsRecordSplitter()
      const pieces = chunks.flatMap((chunk) => splitter.split(Buffer.from(chunk)))
      expect(Buffer.concat(pieces)).toEqual(Buffer.concat(chunks))
      expect(pieces.every((piece) => piece.length > 0)).toBe(true)
    }),
  )
})
