import { Capability, hasCapability, withCapability } from '../codec/capabilities.ts'
import type { ConnectAttributes } from '../codec/connect-attributes.ts'
import { ownProperties } from '../codec/own-properties.ts'
import { MAX_PAYLOAD_BYTES } from '../codec/packet.ts'
import type { PacketChannel } from '../codec/packet-channel.ts'
import { encodeChangeUser } from '../packets/change-user.ts'
import { decodeGreeting, type Greeting } from '../packets/greeting.ts'
import { encodeHandshakeResponse, encodeSslRequest } from '../packets/handshake-response.ts'
import { WireError } from '../wire-error.ts'
import {
  type Answering,
  type AuthPlugin,
  type AuthState,
  authenticate,
  firstAnswer,
  NO_PLUGIN,
  permittedPlugin,
} from './authenticate.ts'

/** Who logs in, and to what. */
export interface Identity extends Answering {
  readonly user: string
  /** @defaultValue none */
  readonly database?: string | undefined
  /**
   * Number of the collation that the session starts with.
   * @defaultValue 45, utf8mb4_general_ci, which every server knows
   */
  readonly collation?: number
  readonly attributes?: ConnectAttributes | undefined
}

/** Options of {@link login}. */
export interface LoginOptions extends Identity {
  /** Wishes, as bits of {@link Capability}. Those that the server lacks are dropped. */
  readonly capabilities: number
  /**
   * Makes the login go over TLS: called once the server has been asked for it. The channel has been
   * released; connect TLS over its stream, verify the server, and return a channel over the result.
   * @defaultValue the login stays on the stream it has
   */
  readonly startTls?: () => Promise<PacketChannel>
  /**
   * Plugins that the server may ask for. `mysql_clear_password` is honoured over TLS only.
   * @defaultValue `['mysql_native_password', 'caching_sha2_password']`
   */
  readonly plugins?: readonly AuthPlugin[]
}

/** An open session, at the moment after the server's OK. */
export interface Session {
  /** The channel to go on with: another one than at first if TLS was started. */
  readonly channel: PacketChannel
  /** Capabilities that both ends agreed on. */
  readonly capabilities: number
  /** The payload of the server's OK packet. */
  readonly ok: Buffer
  /** For {@link changeUser}. */
  readonly auth: Omit<AuthState, keyof Answering>
}

const DEFAULT_COLLATION = 45

/**
 * Waits for the server's greeting.
 *
 * @throws {@link WireError} as {@link decodeGreeting} and {@link PacketChannel.read} do.
 */
export async function readGreeting(channel: PacketChannel): Promise<Greeting> {
  return decodeGreeting((await channel.read()).payload)
}

/**
 * Logs in as a client does, after {@link readGreeting}.
 *
 * @throws {@link WireError} `ERR_WIRE_SERVER` with the server's refusal, `ERR_WIRE_UNSUPPORTED` when the
 * server lacks TLS that was asked for or wants a plugin that is not permitted, and what {@link PacketChannel.read}
 * throws.
 */
export async function login(
  channel: PacketChannel,
  greeting: Greeting,
  given: LoginOptions,
): Promise<Session> {
  const options = ownProperties(given)
  const {
    startTls,
    collation = DEFAULT_COLLATION,
    plugins = ['mysql_native_password', 'caching_sha2_password'],
  } = options
  const capabilities = wishes(options, greeting)
  const request = { capabilities, maxPacketBytes: MAX_PAYLOAD_BYTES, collation }
  let current = channel
  if (startTls !== undefined) {
    channel.write(encodeSslRequest(request))
    channel.release()
    current = await startTls()
    current.sequence = channel.sequence
  }
  const secure = startTls !== undefined
  const offered = permittedPlugin(greeting.authPlugin, { plugins, secure })
  const plugin = offered ?? plugins[0]
  if (plugin === undefined)
    throw new WireError('ERR_WIRE_UNSUPPORTED', 'no authentication plugin is permitted')
  // Read only now: a caller may know the password of a server that is verified, and of no other.
  const { password, answer } = options
  const state: AuthState = { password, answer, secure, plugins, plugin, scramble: greeting.scramble }
  const { user, database } = options
  const attributes = hasCapability(capabilities, Capability.CONNECT_ATTRS) ? options.attributes : undefined
  const isUnanswered = answer !== undefined || offered === undefined || plugin === 'mysql_clear_password'
  const authResponse = isUnanswered ? Buffer.alloc(0) : firstAnswer(state)
  const authPlugin = answer === undefined ? plugin : NO_PLUGIN
  current.write(encodeHandshakeResponse({ ...request, user, database, attributes, authPlugin, authResponse }))
  const ok = await authenticate(current, state)
  return { channel: current, capabilities, ok, auth: withoutPassword(state) }
}

/**
 * Logs an open session in as another user. Nothing else may be under way on it.
 *
 * @throws {@link WireError} as {@link login} does. The server may end the session after refusing.
 */
export async function changeUser(session: Session, identity: Identity): Promise<Session> {
  const { channel, capabilities } = session
  const {
    user,
    password,
    answer,
    database = '',
    collation = DEFAULT_COLLATION,
    attributes,
  } = ownProperties(identity)
  const state: AuthState = { ...session.auth, password, answer }
  const isUnanswered = answer !== undefined || state.plugin === 'mysql_clear_password'
  const authResponse = isUnanswered ? Buffer.alloc(0) : firstAnswer(state)
  const authPlugin = answer === undefined ? state.plugin : NO_PLUGIN
  channel.sequence = 0
  const command = { user, authResponse, database, collation, authPlugin, attributes }
  channel.write(encodeChangeUser(command, capabilities))
  return { channel, capabilities, ok: await authenticate(channel, state), auth: withoutPassword(state) }
}

function wishes(options: LoginOptions, greeting: Greeting): number {
  const tls = options.startTls !== undefined
  if (tls && !hasCapability(greeting.capabilities, Capability.SSL)) {
    throw new WireError('ERR_WIRE_UNSUPPORTED', 'the server does not offer TLS')
  }
  const required = Capability.PROTOCOL_41 | Capability.SECURE_CONNECTION | Capability.PLUGIN_AUTH
  let flags = withCapability(withCapability(options.capabilities, required), Capability.SSL, tls)
  flags = withCapability(flags, Capability.CONNECT_WITH_DB, options.database !== undefined)
  flags = withCapability(flags, Capability.CONNECT_ATTRS, options.attributes !== undefined)
  return (flags & greeting.capabilities) >>> 0
}

function withoutPassword({ password: _, answer: __, ...auth }: AuthState): Session['auth'] {
  return auth
}
