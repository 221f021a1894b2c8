import {
  decodeAuthMoreData,
  decodeAuthSwitchRequest,
  decodeChangeUser,
  decodeErr,
  decodeGreeting,
  decodeHandshakeResponse,
  decodeOk,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  encodeChangeUser,
  encodeErr,
  encodeGreeting,
  encodeHandshakeResponse,
  encodeOk,
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
} from '../arbitraries.ts'

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
