import { Socket } from 'node:net'
import { encodeErr, encodeOk, encodePacket } from '@aurora-iam/wire'
import { describe, expect, test } from 'vitest'
import { onceAnswered, replyIn } from '../src/connect/server-reply.ts'

const packet = (payload: Buffer) => encodePacket({ sequence: 3, payload })
const ok = packet(
  encodeOk({ affectedRows: 0n, lastInsertId: 0n, status: 2, warnings: 0, info: Buffer.alloc(0) }),
)
const denied = packet(encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' }))
const beforeTheClientIsKnown = packet(Buffer.concat([Buffer.of(255, 0x10, 0x04), Buffer.from('Too many')]))
const question = packet(Buffer.concat([Buffer.of(254), Buffer.from('mysql_clear_password\0')]))

/** Returns what is read in an answer that arrives in these pieces. */
function answerIn(...pieces: readonly Buffer[]) {
  const stream = new Socket()
  const answers: unknown[] = []
  const stop = onceAnswered(stream, (error) => answers.push(error ?? 'OK'))
  for (const piece of pieces) stream.emit('data', piece)
  return { answers, listeners: stream.listenerCount('data'), stop, stream }
}

describe('the first packet of a server', () => {
  test.each([
    ['OK', ok, { error: undefined }],
    [
      'an error',
      denied,
      { error: { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR', message: 'Access denied' } },
    ],
    [
      'an error without SQLSTATE',
      beforeTheClientIsKnown,
      { error: { errno: 1040, code: 'ER_CON_COUNT_ERROR', message: 'Too many' } },
    ],
    ['another packet behind it', Buffer.concat([ok, denied]), { error: undefined }],
    [
      'an error without a message',
      packet(Buffer.of(255, 0x15, 0x04)),
      { error: { errno: 1045, message: '' } },
    ],
  ])('%s: read', (_what, bytes, reply) => {
    expect(replyIn(bytes)).toMatchObject(reply)
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a header alone', ok.subarray(0, 4)],
    ['an error that is incomplete', denied.subarray(0, -1)],
    ['an error that is too short for a number', packet(Buffer.of(255, 21))],
    ['an empty packet, and another one behind it', Buffer.concat([packet(Buffer.alloc(0)), ok])],
    ['a question', question],
  ])('%s: neither OK nor an error', (_what, bytes) => {
    expect(replyIn(bytes)).toBeUndefined()
  })

  test('an error whose number has no name here: no code', () => {
    expect(
      replyIn(packet(encodeErr({ errno: 1193, sqlState: 'HY000', message: 'x' })))?.error,
    ).not.toHaveProperty('code')
  })
})

describe('the next packet on a stream', () => {
  test.each([
    ['in one piece', [ok], ['OK']],
    ['byte after byte', Array.from(ok, (byte) => Buffer.of(byte)), ['OK']],
    [
      'an error in two pieces',
      [denied.subarray(0, 9), denied.subarray(9)],
      [expect.objectContaining({ errno: 1045 })],
    ],
    ['two packets', [ok, denied], ['OK']],
    ['neither OK nor an error', [question, ok], []],
    ['an empty packet', [packet(Buffer.alloc(0))], []],
  ])('%s: read once, and no listener is left', (_what, pieces, expected) => {
    const { answers, listeners } = answerIn(...pieces)
    expect(answers).toEqual(expected)
    expect(listeners).toBe(0)
  })

  test('stopped before: nothing is read', () => {
    const { answers, stop, stream } = answerIn()
    stop()
    stream.emit('data', ok)
    expect(answers).toEqual([])
  })
})
