import { Socket } from 'node:net'
import { encodeErr, encodePacket } from '@aurora-iam/wire'
import { expect, test } from 'vitest'
import { onServerError } from '../src/pool/server-errors.ts'

const error = { errno: 1290, sqlState: 'HY000', message: 'The MySQL server is running with --read-only' }
const packet = encodePacket({ sequence: 1, payload: encodeErr(error) })
const payload = encodeErr(error)
const found = { errno: 1290, message: error.message }

test.each([
  ['one error packet', packet, [found]],
  [
    'an error without a message',
    encodePacket({ sequence: 1, payload: payload.subarray(0, 9) }),
    [{ errno: 1290, message: '' }],
  ],
  ['a row that begins with 0xff', encodePacket({ sequence: 4, payload: Buffer.from([0xff, 1, 2]) }), []],
  ['a packet behind it', Buffer.concat([packet, packet]), []],
  ['the first half', packet.subarray(0, 20), []],
  [
    'another packet',
    encodePacket({ sequence: 1, payload: Buffer.concat([Buffer.of(0), payload.subarray(1)]) }),
    [],
  ],
  ['no mark of a SQLSTATE', encodePacket({ sequence: 1, payload: Buffer.from(payload).fill('x', 3, 4) }), []],
  ['fewer bytes than a header', Buffer.of(0xff), []],
])('a chunk of %s: $2', (_what, chunk, expected) => {
  const stream = new Socket()
  const errors: unknown[] = []
  onServerError(stream, (one) => errors.push(one))
  stream.emit('data', chunk)
  expect(errors).toEqual(expected)
})
