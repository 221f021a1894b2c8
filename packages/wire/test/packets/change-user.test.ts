import { Capability, type ChangeUser, decodeChangeUser, encodeChangeUser } from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const { PLUGIN_AUTH, CONNECT_ATTRS } = Capability
const ALL = PLUGIN_AUTH | CONNECT_ATTRS

const required = { user: 'app', authResponse: Buffer.from('ab'), database: 'shop' }
const attributes = new Map([['_client_name', 'test']])
const full = { ...required, collation: 45, authPlugin: 'none', attributes }

const REQUIRED = '\x11app\0\x02abshop\0'
const COLLATION = '-\0'
const PLUGIN = 'none\0'
const ATTRIBUTES = '\x12\x0c_client_name\x04test'

const decode = (text: string, capabilities = ALL): ChangeUser =>
  decodeChangeUser(Buffer.from(text, 'latin1'), capabilities)

test.each([
  ['all fields', full, ALL, REQUIRED + COLLATION + PLUGIN + ATTRIBUTES],
  ['attributes that were not agreed on', full, PLUGIN_AUTH, REQUIRED + COLLATION + PLUGIN],
  ['no attributes', { ...full, attributes: undefined }, ALL, REQUIRED + COLLATION + PLUGIN],
  ['plugins that were not agreed on', full, CONNECT_ATTRS, REQUIRED + COLLATION],
  ['no plugin', { ...full, authPlugin: undefined }, ALL, REQUIRED + COLLATION],
  ['no collation', { ...full, collation: undefined }, ALL, REQUIRED],
])('COM_CHANGE_USER with %s: each field needs the ones before it', (_, command, capabilities, expected) => {
  const payload = encodeChangeUser(command, capabilities)
  expect(payload.toString('latin1')).toBe(expected)
  const decoded = decodeChangeUser(payload, capabilities)
  expect(decoded).toMatchObject(required)
  expect(decoded.collation).toBe(expected.includes(COLLATION) ? 45 : undefined)
  expect(decoded.authPlugin).toBe(expected.includes(PLUGIN) ? 'none' : undefined)
  expect(decoded.attributes).toEqual(expected.includes(ATTRIBUTES) ? attributes : undefined)
})

test('fields that were not agreed on: not read', () => {
  const text = REQUIRED + COLLATION
  expect(decode(text + PLUGIN, 0).authPlugin).toBeUndefined()
  expect(decode(text + PLUGIN + ATTRIBUTES, PLUGIN_AUTH).attributes).toBeUndefined()
  expect(decode(text + ATTRIBUTES, CONNECT_ATTRS)).toMatchObject({ authPlugin: undefined, attributes })
})

test('a plugin without its NUL at the end: accepted', () => {
  expect(decode(`${REQUIRED}${COLLATION}none`).authPlugin).toBe('none')
})

test('an answer of more than 255 bytes: refused', () => {
  expect(() => encodeChangeUser({ ...full, authResponse: Buffer.alloc(256) }, ALL)).toThrow(
    expect.objectContaining({ code: 'ERR_WIRE_MALFORMED' }),
  )
})
