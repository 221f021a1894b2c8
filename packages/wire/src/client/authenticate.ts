import type { PacketChannel } from '../codec/packet-channel.ts'
import {
  AUTH_MORE_DATA_MARKER,
  AUTH_SWITCH_MARKER,
  decodeAuthMoreData,
  decodeAuthSwitchRequest,
} from '../packets/auth-switch.ts'
import { SCRAMBLE_BYTES } from '../packets/greeting.ts'
import { OK_MARKER, throwIfError } from '../packets/ok-err.ts'
import { WireError } from '../wire-error.ts'
import { encryptPassword, scrambleCachingSha2, scrambleNativePassword } from './scramble.ts'

/** The plugins that {@link login} can answer for. */
export type AuthPlugin = 'mysql_native_password' | 'caching_sha2_password' | 'mysql_clear_password'

/** The password, or the function that answers in place of it. */
export interface Answering {
  /** @defaultValue none: {@link Answering.answer} is asked */
  readonly password?: string | undefined
  /**
   * Answers a server's AuthSwitchRequest or AuthMoreData, given as payload, with the payload to send; with
   * `undefined` when the server expects none. The server chooses the plugin.
   * @defaultValue the plugins of this package answer with {@link Answering.password}
   */
  readonly answer?: ((request: Buffer) => Promise<Buffer | undefined>) | undefined
}

/** State of one end of an authentication. */
export interface AuthState extends Answering {
  /** True if the stream is encrypted, so that a password may be sent unmasked. */
  readonly secure: boolean
  /** Plugins that the server may ask for. */
  readonly plugins: readonly AuthPlugin[]
  plugin: AuthPlugin
  scramble: Buffer
}

/** A server needs three rounds at most; one that keeps asking will not accept the login. */
const MAX_ROUNDS = 8

const FAST_PATH_ACCEPTED = 3
const FULL_PATH_WANTED = 4
const PUBLIC_KEY_REQUEST = Buffer.from([2])

/** A plugin that no server has, so that the server asks for the user's own. */
export const NO_PLUGIN = 'none'

const clear = (password: string): Buffer => Buffer.from(`${password}\0`)

/** Returns the client's first answer for a plugin. */
export function firstAnswer({ plugin, scramble, password = '' }: AuthState): Buffer {
  switch (plugin) {
    case 'mysql_native_password':
      return scrambleNativePassword(password, scramble)
    case 'caching_sha2_password':
      return scrambleCachingSha2(password, scramble)
    case 'mysql_clear_password':
      return clear(password)
  }
}

/** Returns the plugin called `name`, if the server may ask for it. */
export function permittedPlugin(
  name: string,
  state: Pick<AuthState, 'plugins' | 'secure'>,
): AuthPlugin | undefined {
  const plugin = state.plugins.find((candidate) => candidate === name)
  return plugin === 'mysql_clear_password' && !state.secure ? undefined : plugin
}

/** Answers the server until it consents; returns the payload of its OK packet. */
export async function authenticate(channel: PacketChannel, state: AuthState): Promise<Buffer> {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const { payload } = await channel.read()
    throwIfError(payload)
    switch (payload[0]) {
      case OK_MARKER:
        return payload
      case AUTH_SWITCH_MARKER:
      case AUTH_MORE_DATA_MARKER:
        await respond(channel, payload, state)
        break
      default:
        throw new WireError('ERR_WIRE_MALFORMED', 'a login cannot go on with this packet')
    }
  }
  throw new WireError('ERR_WIRE_UNSUPPORTED', `the login took more than ${MAX_ROUNDS} rounds`)
}

async function respond(channel: PacketChannel, payload: Buffer, state: AuthState): Promise<void> {
  if (state.answer !== undefined) {
    const answer = await state.answer(payload)
    if (answer !== undefined) channel.write(answer)
  } else if (payload[0] === AUTH_SWITCH_MARKER) {
    switchPlugin(payload, state)
    channel.write(firstAnswer(state))
  } else await continueCachingSha2(channel, decodeAuthMoreData(payload), state)
}

function switchPlugin(payload: Buffer, state: AuthState): void {
  const { authPlugin, data } = decodeAuthSwitchRequest(payload)
  const plugin = permittedPlugin(authPlugin, state)
  if (plugin === undefined) {
    const known =
      authPlugin === 'mysql_clear_password' ? 'the password in the clear' : 'an authentication plugin'
    throw new WireError('ERR_WIRE_UNSUPPORTED', `the server asks for ${known} that is not permitted here`)
  }
  state.plugin = plugin
  if (data.length >= SCRAMBLE_BYTES) state.scramble = data.subarray(0, SCRAMBLE_BYTES)
}

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_caching_sha2_authentication_exchanges.html */
async function continueCachingSha2(channel: PacketChannel, data: Buffer, state: AuthState): Promise<void> {
  if (state.plugin !== 'caching_sha2_password') {
    throw new WireError('ERR_WIRE_UNSUPPORTED', `${state.plugin} has nothing more to say`)
  }
  if (data[0] === FAST_PATH_ACCEPTED) return
  if (data[0] !== FULL_PATH_WANTED)
    throw new WireError('ERR_WIRE_MALFORMED', 'this step of caching_sha2_password is unknown')
  const { password = '' } = state
  if (state.secure) {
    channel.write(clear(password))
    return
  }
  channel.write(PUBLIC_KEY_REQUEST)
  const publicKey = decodeAuthMoreData((await channel.read()).payload).toString()
  channel.write(encryptPassword(password, state.scramble, publicKey))
}
