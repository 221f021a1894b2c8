import type { SecureContext } from 'node:tls'
import {
  Capability,
  decodeHandshakeResponse,
  type ErrPacket,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  encodeGreeting,
  type Greeting,
  type HandshakeResponse,
  hasCapability,
  isSslRequest,
} from '@aurora-iam/wire'
import type { GatewayClient } from './client.ts'
import { isClientPlugin, provesPassword } from './password.ts'
import { newScramble } from './server-greeting.ts'

/** User and password that the clients of a gateway log in with. */
export interface GatewayAccount {
  readonly user: string
  readonly password: string
}

/** Error for a client that is rejected, with the packet that the client gets. */
export class ClientRejected extends Error {
  override readonly name = 'ClientRejected'
  readonly packet: ErrPacket
  /** True if the password or the user was wrong. */
  readonly isAccessDenied: boolean

  constructor(packet: ErrPacket, isAccessDenied = false) {
    super(packet.message)
    this.packet = packet
    this.isAccessDenied = isAccessDenied
  }
}

/** Message of caching_sha2_password's fast path: the password is right. */
const FAST_PATH_ACCEPTED = Buffer.from([3])

const COMPRESSED = Capability.COMPRESS | Capability.ZSTD_COMPRESSION

/** Conditions on which clients are authenticated. */
export interface ClientPolicy {
  readonly account: GatewayAccount
  /** Certificate for TLS. Without it clients connect in the clear: on loopback and over Unix sockets alone. */
  readonly tls: SecureContext | undefined
}

/**
 * Greets a client and checks its user and password. The caller sends OK once there is a session.
 *
 * @throws {@link ClientRejected}; WireError for packets that are not those of a login
 */
export async function authenticateClient(
  client: GatewayClient,
  greeting: Greeting,
  { account, tls }: ClientPolicy,
): Promise<HandshakeResponse> {
  client.channel.write(encodeGreeting(greeting))
  let { payload } = await client.read()
  if (tls !== undefined) {
    if (!isSslRequest(payload)) throw new ClientRejected(TLS_REQUIRED)
    await client.startTls(tls)
    payload = (await client.read()).payload
  }
  const response = decodeHandshakeResponse(payload)
  // It was not offered. A client that insists on it would compress its next packets.
  if ((response.capabilities & COMPRESSED & ~greeting.capabilities) !== 0)
    throw new ClientRejected(COMPRESSION_REFUSED)
  if (!hasCapability(response.capabilities, Capability.PLUGIN_AUTH) && response.authPlugin === undefined)
    throw new ClientRejected(OLD_CLIENT)
  await checkPassword(client, { ...response, scramble: greeting.scramble }, account)
  return response
}

/**
 * Checks user and password, from what a client sent with its login or with COM_CHANGE_USER.
 *
 * @throws {@link ClientRejected} with 1045
 */
export async function checkPassword(
  client: GatewayClient,
  claim: Pick<HandshakeResponse, 'user' | 'authPlugin' | 'authResponse'> & { readonly scramble: Uint8Array },
  account: GatewayAccount,
): Promise<void> {
  const { user } = claim
  let { authPlugin, authResponse, scramble } = claim
  // A client that answers for another plugin than that of the greeting is asked again, for a plugin that it has.
  if (authPlugin !== 'caching_sha2_password' || authResponse.length === 0) {
    authPlugin = isClientPlugin(authPlugin) ? authPlugin : 'mysql_native_password'
    scramble = newScramble()
    const data = Buffer.concat([scramble, Buffer.alloc(1)])
    client.channel.write(encodeAuthSwitchRequest({ authPlugin, data }))
    authResponse = (await client.read()).payload
  }
  const { password } = account
  const isRight =
    isClientPlugin(authPlugin) && provesPassword(authPlugin, authResponse, { password, scramble })
  if (!isRight || user !== account.user) {
    const using = authResponse.length > 0 ? 'YES' : 'NO'
    const message = `Access denied for user '${user}'@'${client.address}' (using password: ${using})`
    throw new ClientRejected({ errno: 1045, sqlState: '28000', message }, true)
  }
  if (authPlugin === 'caching_sha2_password') client.channel.write(encodeAuthMoreData(FAST_PATH_ACCEPTED))
}

/** https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_secure_transport_required */
const TLS_REQUIRED: ErrPacket = {
  errno: 3159,
  sqlState: 'HY000',
  message: 'Connections using insecure transport are prohibited here. Connect with TLS.',
}

const COMPRESSION_REFUSED: ErrPacket = {
  errno: 1235,
  sqlState: '42000',
  message: 'aurora-iam does not relay compressed connections. Switch compression off in the client.',
}

/** https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_not_supported_auth_mode */
const OLD_CLIENT: ErrPacket = {
  errno: 1251,
  sqlState: '08004',
  message: 'The client does not support authentication plugins. Use one of MySQL 5.5.7 or newer.',
}
