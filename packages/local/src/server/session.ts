import {
  CHANGE_USER_COMMAND,
  changeUser,
  decodeChangeUser,
  type Greeting,
  type Packet,
  PacketChannel,
  relay,
  type Session,
} from '@aurora-iam/wire'
import type { FaultSettings } from '../faults/faults.ts'
import { admit, askForToken, unaskedToken } from './authentication.ts'
import type { FrontClient } from './client.ts'
import type { FrontServices } from './context.ts'
import { collationFor } from './greeting.ts'
import type { Upstream } from './upstream.ts'

/** A longer COM_CHANGE_USER is none: user and database names are short, connection attributes at most 64 KiB. */
const MAX_CHANGE_USER_BYTES = 128 * 1024

/** A logged-in client and what is upstream it. */
export interface OpenSession {
  readonly client: FrontClient
  readonly upstream: Upstream
  /** What was greeted with. */
  readonly greeting: Greeting
  /** What both ends use. */
  readonly capabilities: number
  readonly faults: FaultSettings
}

/** Relays a session to its end. Only COM_CHANGE_USER is looked into, because it is a login. */
export async function relaySession(
  open: OpenSession,
  login: Session,
  services: FrontServices,
): Promise<void> {
  const { client, upstream } = open
  let session = login
  client.channel.release()
  upstream.channel.release()
  const end = await relay(client.stream, upstream.socket, {
    command: CHANGE_USER_COMMAND,
    maxPayloadBytes: MAX_CHANGE_USER_BYTES,
    handle: async (command) => {
      session = await logInAgain(command, open, session, services)
    },
  })
  if (end.by === 'server') client.destroy('server', 'the database upstream ended the session')
  else client.destroy('client', codeOf(end.error))
}

/** @throws Error when the session must end, after the client has been told why. */
async function logInAgain(
  { payload }: Packet,
  { client, upstream, greeting, capabilities, faults }: OpenSession,
  session: Session,
  services: FrontServices,
): Promise<Session> {
  const command = decodeChangeUser(payload, capabilities)
  const { user, database, attributes, collation, authResponse, authPlugin } = command
  client.resumeTalking(1)
  const token = unaskedToken({ authResponse, authPlugin }) ?? (await askForToken(client, greeting))
  const attempt = { connection: client.connection, user, during: 'change-user', token, faults } as const
  const channel = new PacketChannel(upstream.socket)
  const changed = await admit(attempt, client, services, () =>
    changeUser(
      { ...session, channel },
      {
        ...services.backend.account(user),
        database,
        attributes,
        ...(collation !== undefined && { collation: collationFor(upstream.greeting, collation) }),
      },
    ),
  )
  if (changed === undefined) {
    await client.flush()
    throw new Error('the change of user was refused')
  }
  client.channel.write(changed.ok)
  client.channel.release()
  channel.release()
  return changed
}

function codeOf(error: (Error & { code?: string }) | undefined): string | undefined {
  return error === undefined ? undefined : (error.code ?? error.message)
}
