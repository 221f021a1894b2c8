import {
  type AuthPlugin,
  Capability,
  changeUser,
  decodeChangeUser,
  decodeHandshakeResponse,
  encodeAuthSwitchRequest,
  encodeErr,
  isSslRequest,
  type LoginOptions,
  login,
  PacketChannel,
  readGreeting,
  scrambleCachingSha2,
} from '@aurora-iam/wire'
import { expect, test } from 'vitest'
import { ends, OK, otherScramble } from './ends.ts'

test('no TLS: a clear-text password is never sent, even when it is permitted', async () => {
  for (const plugins of [undefined, ['mysql_clear_password'] as AuthPlugin[]]) {
    const { server, start } = ends('mysql_clear_password')
    const session = start(plugins && { plugins })
    const response = await server.read()
    expect(response.payload.includes('secret')).toBe(false)
    server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
    await expect(session).rejects.toMatchObject({ code: 'ERR_WIRE_UNSUPPORTED' })
  }
})

test('TLS and a permitted clear-text password: sent only when it is requested', async () => {
  const { server, start, client, near } = ends('mysql_clear_password', Capability.SSL)
  const session = start({ plugins: ['mysql_clear_password'], startTls: async () => new PacketChannel(near) })
  expect(isSslRequest((await server.read()).payload)).toBe(true)
  expect(client.sequence).toBe(2)
  expect(decodeHandshakeResponse((await server.read()).payload).authResponse).toHaveLength(0)
  server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
  expect((await server.read()).payload.toString()).toBe('secret\0')
  server.write(OK)
  await session
})

test('a password that is known only after TLS: it is read then, and not before', async () => {
  const { server, client, near } = ends('mysql_clear_password', Capability.SSL)
  let known: string | undefined
  const session = login(client, await readGreeting(client), {
    user: 'app',
    capabilities: 0,
    plugins: ['mysql_clear_password'],
    startTls: async () => {
      known = 'signed after TLS'
      return new PacketChannel(near)
    },
    get password() {
      return known ?? 'read too early'
    },
  })
  await server.read()
  await server.read()
  server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
  expect((await server.read()).payload.toString()).toBe('signed after TLS\0')
  server.write(OK)
  await session
})

test('a server without TLS where TLS is wanted: the client leaves before it sends anything', async () => {
  const { start } = ends('mysql_native_password')
  await expect(start({ startTls: () => Promise.reject(new Error('never reached')) })).rejects.toMatchObject({
    code: 'ERR_WIRE_UNSUPPORTED',
  })
})

test('a rejection: the error has what the server sent', async () => {
  const { server, start } = ends('mysql_native_password')
  const session = start()
  await server.read()
  server.write(encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' }))
  await expect(session).rejects.toMatchObject({ code: 'ERR_WIRE_SERVER', errno: 1045, sqlState: '28000' })
})

test('an open session: it changes its user, for the plugin and the scramble of the last login', async () => {
  const { server, start } = ends('mysql_native_password', Capability.CONNECT_ATTRS)
  const attributes = new Map([['_client_name', 'test']])
  const opening = start({ attributes })
  await server.read()
  server.write(encodeAuthSwitchRequest({ authPlugin: 'caching_sha2_password', data: otherScramble }))
  await server.read()
  server.write(OK)
  const session = await opening
  const plugins = ['mysql_native_password', 'caching_sha2_password']
  const auth = { secure: false, plugins, plugin: 'caching_sha2_password', scramble: otherScramble }
  expect(session.auth).toEqual(auth)
  server.sequence = 0
  const identity = { user: 'other', password: 'word', database: 'shop', collation: 8, attributes }
  const changing = changeUser(session, identity)
  const command = decodeChangeUser((await server.read()).payload, session.capabilities)
  const { password: _, ...sent } = identity
  expect(command).toEqual({
    ...sent,
    authPlugin: auth.plugin,
    authResponse: scrambleCachingSha2('word', otherScramble),
  })
  server.write(OK)
  expect(await changing).toEqual({ ...session, ok: OK, auth })
})

test('a session whose plugin is mysql_clear_password: the password waits until the server asks for it', async () => {
  const { server, start, near } = ends('mysql_clear_password', Capability.SSL)
  const opening = start({ plugins: ['mysql_clear_password'], startTls: async () => new PacketChannel(near) })
  for (const _ of ['request for TLS', 'response']) await server.read()
  server.write(OK)
  const session = await opening
  server.sequence = 0
  const changing = changeUser(session, { user: 'other', password: 'word' })
  const command = decodeChangeUser((await server.read()).payload, session.capabilities)
  expect(command).toMatchObject({ authPlugin: 'mysql_clear_password', authResponse: Buffer.alloc(0) })
  server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
  expect((await server.read()).payload.toString()).toBe('word\0')
  server.write(OK)
  await changing
})

test('a greeting with a plugin that is not permitted: nothing is answered for it', async () => {
  const { server, start } = ends('sha256_password')
  const session = start()
  const response = decodeHandshakeResponse((await server.read()).payload)
  expect(response).toMatchObject({ authPlugin: 'mysql_native_password', authResponse: Buffer.alloc(0) })
  server.write(OK)
  await session
})

test('no plugin is permitted: refused before anything is sent', async () => {
  const { start, far } = ends('mysql_native_password')
  await expect(start({ plugins: [] })).rejects.toMatchObject({ code: 'ERR_WIRE_UNSUPPORTED' })
  expect(far.read()).toBeNull()
})

test('capabilities: those that the client wishes or needs and the server offers', async () => {
  const { MULTI_STATEMENTS, SSL, CONNECT_WITH_DB, CONNECT_ATTRS, FOUND_ROWS } = Capability
  const required = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH
  const attributes = new Map([['_client_name', 'test']])
  const agreed = async (offered: number, options: Partial<LoginOptions>) => {
    const { server, start } = ends('mysql_native_password', offered)
    const opening = start({
      capabilities: MULTI_STATEMENTS | SSL | CONNECT_ATTRS | CONNECT_WITH_DB,
      database: undefined,
      ...options,
    })
    const { capabilities } = decodeHandshakeResponse((await server.read()).payload)
    server.write(OK)
    const session = await opening
    expect(session.capabilities).toBe(capabilities)
    return capabilities & ~required
  }
  const all = MULTI_STATEMENTS | SSL | CONNECT_ATTRS | CONNECT_WITH_DB | FOUND_ROWS
  expect(await agreed(all, {})).toBe(MULTI_STATEMENTS)
  expect(await agreed(all, { database: 'shop', attributes })).toBe(
    MULTI_STATEMENTS | CONNECT_ATTRS | CONNECT_WITH_DB,
  )
  expect(await agreed(0, { attributes })).toBe(0)
})
