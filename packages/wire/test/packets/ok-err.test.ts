import { decodeErr, encodeErr, throwIfError } from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const err = (text: string): Buffer => Buffer.concat([Buffer.from([255, 0x69, 0x04]), Buffer.from(text)])

test.each([
  ['#28000Access denied', '28000', 'Access denied'],
  ['#HY000two\nlines', 'HY000', 'two\nlines'],
  ['#42000', '42000', ''],
  ['Host #28000 is blocked', undefined, 'Host #28000 is blocked'],
  ['#2800', undefined, '#2800'],
  ['#hy000lower case', undefined, '#hy000lower case'],
])('an error whose text is %j: SQLSTATE %s and message %j', (text, sqlState, message) => {
  expect(decodeErr(err(text))).toEqual({ errno: 1129, sqlState, message })
  expect(encodeErr({ errno: 1129, sqlState, message })).toEqual(err(text))
})

test.each(['', '2800', '280000', 'hy000', '28000\n'])('the SQLSTATE %j: refused', (sqlState) => {
  expect(() => encodeErr({ errno: 1, sqlState, message: '' })).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_MALFORMED' }),
  )
})

test('a payload that is no ERR packet: no error is thrown', () => {
  expect(() => throwIfError(Buffer.from([0]))).not.toThrow()
  expect(() => throwIfError(Buffer.alloc(0))).not.toThrow()
})
