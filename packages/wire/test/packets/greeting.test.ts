import { Capability, decodeGreeting, encodeErr, encodeGreeting } from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const greeting = {
  serverVersion: '8.0.39',
  connectionId: 7,
  scramble: Buffer.from('abcdefghijklmnopqrst'),
  capabilities: Capability.SSL,
  collation: 45,
  status: 2,
  authPlugin: 'mysql_native_password',
}

const PLUGIN = Buffer.from('mysql_native_password').toString('hex')

/** Returns the bytes of a greeting, with other capabilities or another end. */
const bytes = ({
  low = '008a',
  high = '0800',
  end = `15${'00'.repeat(10)}696a6b6c6d6e6f707172737400${PLUGIN}00`,
} = {}) =>
  [
    '0a', // protocol version
    '382e302e333900', // 8.0.39
    '07000000', // connection id
    '6162636465666768', // scramble, part 1
    '00',
    low, // capabilities, lower half
    '2d', // collation
    '0200', // status
    high, // capabilities, upper half
    end, // length of the scramble and its NUL, 10 reserved bytes, scramble, part 2, plugin
  ].join('')

const decode = (hex: string) => decodeGreeting(Buffer.from(hex, 'hex'))

test('a greeting: the layout of the documentation', () => {
  expect(encodeGreeting(greeting).toString('hex')).toBe(bytes())
})

test.each([0, 19, 21])('a scramble of %s bytes: refused', (length) => {
  expect(() => encodeGreeting({ ...greeting, scramble: Buffer.alloc(length, 1) })).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_MALFORMED' }),
  )
})

test.each([
  ['PROTOCOL_41', { low: '0088' }],
  ['PLUGIN_AUTH', { high: '0000' }],
])('a server without %s: not supported', (_, without) => {
  expect(() => decode(bytes(without))).toThrow(expect.objectContaining({ code: 'ERR_WIRE_UNSUPPORTED' }))
})

// The second part has 13 bytes at least: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_handshake_v10.html
test.each([
  ['no length', '00', ''],
  ['a longer one', '1d', '00'.repeat(8)],
])('a scramble with %s: its first 20 bytes count', (_, length, more) => {
  const end = `${length}${'00'.repeat(10)}696a6b6c6d6e6f707172737400${more}${PLUGIN}00`
  expect(decode(bytes({ end }))).toMatchObject({
    scramble: greeting.scramble,
    authPlugin: 'mysql_native_password',
  })
})

test('a plugin without a NUL behind it: accepted', () => {
  expect(decode(bytes().slice(0, -2)).authPlugin).toBe('mysql_native_password')
})

test('an ERR packet instead of a greeting: an error with the number, the SQLSTATE and the message of the server', () => {
  const payload = encodeErr({ errno: 1040, sqlState: '08004', message: 'Too many connections' })
  expect(() => decodeGreeting(payload)).toThrow(
    expect.objectContaining({
      code: 'ERR_WIRE_SERVER',
      errno: 1040,
      sqlState: '08004',
      message: 'Too many connections',
    }),
  )
})
