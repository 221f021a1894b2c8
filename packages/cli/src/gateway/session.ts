import {
  CHANGE_USER_COMMAND,
  decodeChangeUser,
  type Packet,
  type RelayEnd,
  relay,
  type Session,
} from '@aurora-iam/wire'
import { ClientRejected, checkPassword, type GatewayAccount } from './authenticate-client.ts'
import type { GatewayClient } from './client.ts'
import { clientErrorFor } from './client-error.ts'
import { newScramble } from './server-greeting.ts'
import type { Upstream } from './upstream.ts'

/** User and database names are short, and connection attributes have at most 64 KiB. */
const MAX_CHANGE_USER_BYTES = 128 * 1024

/** A logged-in client and its session with the database. */
export interface OpenSession {
  readonly client: GatewayClient
  readonly upstream: Upstream
  readonly session: Session
  /** Flags that client and gateway agreed on. */
  readonly capabilities: number
  readonly account: GatewayAccount
}

/** Relays a session to its end. Of all commands it intercepts COM_CHANGE_USER, because that is a login. */
export async function relaySession(open: OpenSession): Promise<RelayEnd> {
  const { client, upstream, session } = open
  client.channel.release()
  session.channel.release()
  return relay(client.stream, upstream.stream, {
    command: CHANGE_USER_COMMAND,
    maxPayloadBytes: MAX_CHANGE_USER_BYTES,
    handle: (command) => logInAgain(command, open),
  })
}

/**
 * Logs the client and its session in again, for COM_CHANGE_USER.
 *
 * @throws the error of a login that failed, once the client has it: the session then ends
 */
async function logInAgain({ payload }: Packet, open: OpenSession): Promise<void> {
  const { client, upstream, capabilities, account } = open
  const { user, database, attributes, collation = 45 } = decodeChangeUser(payload, capabilities)
  client.resumeTalking(1)
  try {
    // The answer in the command is made with the scramble of the greeting, which counts once. The client is asked
    // again.
    const claim = { user, authPlugin: undefined, authResponse: Buffer.alloc(0), scramble: newScramble() }
    await checkPassword(client, claim, account)
    const wish = { database: database || undefined, attributes, collation }
    const { ok } = await upstream.changeUser(wish, client.closed)
    client.channel.write(ok)
    client.channel.release()
  } catch (error) {
    await client.fail(error instanceof ClientRejected ? error.packet : clientErrorFor(error as Error))
    throw error
  }
}
