import {
  Capability,
  decodeAuthMoreData,
  decodeAuthSwitchRequest,
  decodeChangeUser,
  decodeErr,
  decodeGreeting,
  decodeHandshakeResponse,
  decodeOk,
  decodeSslRequest,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  encodeChangeUser,
  encodeErr,
  encodeGreeting,
  encodeHandshakeResponse,
  encodeOk,
  encodeSslRequest,
  isSslRequest,
  throwIfError,
  WireError,
} from '@aurora-iam/wire'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  anyBytes,
  authSwitches,
  changeUsers,
  errs,
  greetings,
  handshakeResponses,
  oks,
} from './arbitraries.ts'

const runs = { seed: 20_261_123, numRuns: 300 }
const ALL = 0xffff_ffff

const codecs = {
  greeting: { values: greetings, encode: encodeGreeting, decode: decodeGreeting },
  'handshake response': {
    values: handshakeResponses,
    encode: encodeHandshakeResponse,
    decode: (payload: Buffer) => {
      const { capabilities, ...rest } = decodeHandshakeResponse(payload)
      return { capabilities: (capabilities & ~0x0018_8208) >>> 0, ...rest }
    },
  },
  COM_CHANGE_USER: {
    values: changeUsers,
    encode: (value: typeof changeUsers extends fc.Arbitrary<infer T> ? T : never) =>
      encodeChangeUser(value, ALL),
    decode: (payload: Buffer) => decodeChangeUser(payload, ALL),
  },
  AuthSwitchRequest: {
    values: authSwitches,
    encode: encodeAuthSwitchRequest,
    decode: decodeAuthSwitchRequest,
  },
  AuthMoreData: { values: anyBytes, encode: encodeAuthMoreData, decode: decodeAuthMoreData },
  OK: { values: oks, encode: encodeOk, decode: decodeOk },
  ERR: { values: errs, encode: encodeErr, decode: decodeErr },
} as Record<
  string,
  { values: fc.Arbitrary<unknown>; encode(value: unknown): Buffer; decode(payload: Buffer): unknown }
>

describe.each(Object.entries(codecs))('%s', (_, { values, encode, decode }) => {
  test('any value: reads back as it was written', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decode(encode(value))).toEqual(value)
      }),
      runs,
    )
  })

  test('any bytes: nothing but a WireError is thrown', () => {
    const orWireError = (payload: Buffer): void => {
      try {
        decode(payload)
      } catch (error) {
        expect(error).toBeInstanceOf(WireError)
      }
    }
    fc.assert(fc.property(anyBytes, orWireError), runs)
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(255), (value, position, byte) => {
        const payload = encode(value)
        orWireError(payload.subarray(0, position % (payload.length + 1)))
        payload[position % payload.length] = byte
        orWireError(payload)
      }),
      runs,
    )
  })
})

test('a request for TLS and a login: told apart by length and flag', () => {
  const request = { capabilities: Capability.PLUGIN_AUTH, maxPacketBytes: 1, collation: 45 }
  const payload = encodeSslRequest(request)
  expect(isSslRequest(payload)).toBe(true)
  expect(decodeSslRequest(payload).collation).toBe(45)
  expect(
    isSslRequest(encodeHandshakeResponse({ ...request, user: 'app', authResponse: Buffer.alloc(0) })),
  ).toBe(false)
})

test('a greeting: the layout of the documentation', () => {
  const payload = encodeGreeting({
    serverVersion: '8.0.39',
    connectionId: 7,
    scramble: Buffer.from('abcdefghijklmnopqrst'),
    capabilities: Capability.SSL,
    collation: 45,
    status: 2,
    authPlugin: 'mysql_native_password',
  })
  const expected = [
    '0a', // protocol version
    '382e302e333900', // 8.0.39
    '07000000', // connection id
    '6162636465666768', // scramble, part 1
    '00',
    '008a', // capabilities, lower half
    '2d', // collation
    '0200', // status
    '0800', // capabilities, upper half
    '15', // length of the scramble and its NUL
    '00000000000000000000',
    '696a6b6c6d6e6f707172737400', // scramble, part 2
    `${Buffer.from('mysql_native_password').toString('hex')}00`,
  ]
  expect(payload.toString('hex')).toBe(expected.join(''))
})

test('an ERR packet: an error with the number, the SQLSTATE and the message of the server', () => {
  const payload = encodeErr({ errno: 1040, sqlState: '08004', message: 'Too many connections' })
  expect(() => decodeGreeting(payload)).toThrow(
    expect.objectContaining({
      code: 'ERR_WIRE_SERVER',
      errno: 1040,
      sqlState: '08004',
      message: 'Too many connections',
    }),
  )
  expect(() => throwIfError(Buffer.from([0]))).not.toThrow()
})

test('an error sent instead of a greeting: it may lack the SQLSTATE', () => {
  expect(decodeErr(encodeErr({ errno: 1129, message: 'Host is blocked' }))).toEqual({
    errno: 1129,
    sqlState: undefined,
    message: 'Host is blocked',
  })
})
