import {
  Capability,
  decodeHandshakeResponse,
  decodeSslRequest,
  encodeHandshakeResponse,
  encodeSslRequest,
  isSslRequest,
} from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const { PROTOCOL_41, SECURE_CONNECTION, CONNECT_WITH_DB, PLUGIN_AUTH, CONNECT_ATTRS } = Capability
const LENGTH_ENCODED = Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA
const FIELDS = CONNECT_WITH_DB | PLUGIN_AUTH | CONNECT_ATTRS

const request = { capabilities: 0, maxPacketBytes: 65_536, collation: 45 }
const empty = Buffer.alloc(0)
const attributes = new Map([['_client_name', 'test']])

/** Returns a response of these capabilities, with these bytes behind its head. */
const response = (capabilities: number, ...rest: string[]): Buffer => {
  const head = Buffer.alloc(32)
  head.writeUInt32LE(capabilities)
  return Buffer.concat([head, Buffer.from(rest.join(''), 'latin1')])
}

test('a request for TLS: SSL and PROTOCOL_41 are set, and the head has the layout of the documentation', () => {
  const payload = encodeSslRequest(request)
  expect(payload.toString('hex')).toBe(`000a0000${'00000100'}2d${'00'.repeat(23)}`)
  expect(isSslRequest(payload)).toBe(true)
  expect(decodeSslRequest(payload)).toEqual({ ...request, capabilities: Capability.SSL | PROTOCOL_41 })
})

test('a login: it is no request for TLS', () => {
  const login = { ...request, user: 'app', authResponse: empty }
  expect(isSslRequest(encodeHandshakeResponse({ ...login, capabilities: Capability.SSL }))).toBe(false)
  expect(isSslRequest(response(PROTOCOL_41))).toBe(false)
  expect(isSslRequest(empty)).toBe(false)
})

test('fields that are given and fields that are not: their flags are set and cleared, whatever the caller wishes', () => {
  const login = { ...request, user: 'app', authResponse: empty }
  const flags = (more: object): number =>
    encodeHandshakeResponse({ ...login, capabilities: FIELDS, ...more }).readUInt32LE(0)
  const required = PROTOCOL_41 | SECURE_CONNECTION
  expect(flags({})).toBe(required)
  expect(flags({ database: 'shop' })).toBe(required | CONNECT_WITH_DB)
  expect(flags({ authPlugin: 'none' })).toBe(required | PLUGIN_AUTH)
  expect(flags({ attributes })).toBe(required | CONNECT_ATTRS)
  expect(flags({ capabilities: 0, database: '', authPlugin: '', attributes })).toBe(required | FIELDS)
})

test.each([
  ['PROTOCOL_41', SECURE_CONNECTION],
  ['SECURE_CONNECTION', PROTOCOL_41],
])('a client without %s: not supported', (_, capabilities) => {
  expect(() => decodeHandshakeResponse(response(capabilities, 'app\0', '\0'))).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_UNSUPPORTED' }),
  )
})

test('an answer of more than 255 bytes: it needs a length-encoded length', () => {
  const login = { ...request, user: 'app', authResponse: Buffer.alloc(256, 1) }
  expect(() => encodeHandshakeResponse(login)).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_MALFORMED' }),
  )
  const payload = encodeHandshakeResponse({ ...login, capabilities: LENGTH_ENCODED })
  expect(decodeHandshakeResponse(payload).authResponse).toEqual(login.authResponse)
})

const ALL = PROTOCOL_41 | SECURE_CONNECTION | FIELDS
const ATTRIBUTES = '\x12\x0c_client_name\x04test'

test.each([
  ['all fields', ALL, `shop\0none\0${ATTRIBUTES}`, { database: 'shop', authPlugin: 'none', attributes }],
  [
    'bytes behind them',
    ALL,
    `shop\0none\0${ATTRIBUTES}\x03`,
    { database: 'shop', authPlugin: 'none', attributes },
  ],
  ['a last string without its NUL', ALL, 'shop\0none', { database: 'shop', authPlugin: 'none' }],
  ['the flags of fields that it lacks', ALL, '', {}],
  ['no database', ALL & ~CONNECT_WITH_DB, `none\0${ATTRIBUTES}`, { authPlugin: 'none', attributes }],
  ['no plugin', ALL & ~PLUGIN_AUTH, `shop\0${ATTRIBUTES}`, { database: 'shop', attributes }],
  [
    'no flag of attributes',
    ALL & ~CONNECT_ATTRS,
    `shop\0none\0${ATTRIBUTES}`,
    { database: 'shop', authPlugin: 'none' },
  ],
])('a response with %s: read', (_, capabilities, rest, expected) => {
  const decoded = decodeHandshakeResponse(response(capabilities, 'app\0', '\x02ab', rest))
  const absent = { database: undefined, authPlugin: undefined, attributes: undefined }
  const identity = { user: 'app', authResponse: Buffer.from('ab') }
  expect(decoded).toMatchObject({ ...absent, ...identity, ...expected })
})
