import {
  type Answering,
  encodeAuthSwitchRequest,
  type Greeting,
  type HandshakeResponse,
  type Session,
  type WireError,
} from '@aurora-iam/wire'
import type { Client } from './client.ts'
import type { ServerContext } from './context.ts'
import { judge, type LoginAttempt, recordSuccess, recordToken, refuse } from './gatekeeper.ts'
import { PasswordDialogue } from './password-dialogue.ts'
import { failUpstream } from './upstream.ts'

const CLEAR_PASSWORD = 'mysql_clear_password'

/** The database names its own client in these errors, not the one of Local Aurora. */
const ACCESS_DENIED = 1045
const ACCESS_DENIED_WITHOUT_PASSWORD = 1698

/** Asks for the token in the only way that Aurora knows. Some clients want a scramble even where it has no use. */
export async function askForToken(client: Client, greeting: Greeting): Promise<string> {
  const data = Buffer.concat([greeting.scramble, Buffer.alloc(1)])
  client.channel.write(encodeAuthSwitchRequest({ authPlugin: CLEAR_PASSWORD, data }))
  return textOf((await client.read()).payload)
}

/** Returns what a client sent in the clear without being asked, as it does when the greeting names that plugin. */
export function unaskedToken(
  response: Pick<HandshakeResponse, 'authPlugin' | 'authResponse'>,
): string | undefined {
  const token = response.authPlugin === CLEAR_PASSWORD ? textOf(response.authResponse) : ''
  return token === '' ? undefined : token
}

/**
 * Finds out whether a user logs in with IAM, as the database has it. If the database does not answer, the client has
 * been told, or its connection broken, when this resolves with `undefined`.
 */
export async function isIamUser(
  user: string,
  client: Client,
  { backend }: ServerContext,
): Promise<boolean | undefined> {
  try {
    return await client.within(backend.iamUsers.has(user))
  } catch (error) {
    failUpstream(client, error)
    return undefined
  }
}

/**
 * Judges a token and opens the session in the database if it is accepted. Whatever went wrong, the client has been told
 * when this resolves without a session.
 *
 * @param openSession - Opens the session of the user with what stands for the token in the database.
 */
export async function admit(
  attempt: LoginAttempt,
  client: Client,
  context: ServerContext,
  openSession: (answering: Answering) => Promise<Session>,
): Promise<Session | undefined> {
  const { faults, user, token } = attempt
  recordToken(attempt, client.encrypted, context.log)
  if (faults.hang === 'after-token') {
    await client.hang()
    return undefined
  }
  await client.pause(faults.authDelayMs ?? 0)
  if (!judge(attempt, context)) {
    client.deny(user, token !== '')
    return undefined
  }
  try {
    const session = await client.within(openSession(context.backend.iamUsers.account(user)))
    recordSuccess(attempt, context.log)
    return session
  } catch (error) {
    const { code, errno } = error as WireError
    if (code === 'ERR_WIRE_SERVER' && errno === ACCESS_DENIED) {
      refuse(attempt, 'InternalError', 'the database denied access to an IAM user', context.log)
      client.deny(user, true)
      // A connection that the database closed says nothing of the token. An adapter would evict a good one after 1045.
    } else failUpstream(client, error)
    return undefined
  }
}

/**
 * Lets the database authenticate a user who does not log in with IAM, unknown users included. Whatever went wrong,
 * the client has been told when this resolves without a session.
 *
 * @param attempt - With the token that the client sent without being asked, or an empty one.
 * @param openSession - Opens the session of the user, asking the client for what the database asks for.
 */
export async function admitByPassword(
  attempt: LoginAttempt,
  client: Client,
  { log, backend }: ServerContext,
  openSession: (answering: Answering) => Promise<Session>,
): Promise<Session | undefined> {
  const { connection, user, during, token } = attempt
  if (token !== '') {
    recordToken(attempt, client.encrypted, log)
    refuse(attempt, 'NotAuthorized', 'no database user of that name is enabled for IAM', log)
    client.deny(user, true)
    return undefined
  }
  const dialogue = new PasswordDialogue(client, backend.iamUsers.usesCachingSha2(user))
  try {
    const session = await openSession({ answer: (request) => dialogue.answer(request) })
    log.record({ type: 'password-login', connection, user, during })
    return session
  } catch (error) {
    const { code, errno = 0, sqlState, message } = error as WireError
    if (code !== 'ERR_WIRE_SERVER') throw error
    if (errno === ACCESS_DENIED || errno === ACCESS_DENIED_WITHOUT_PASSWORD) {
      refuse(attempt, 'AccessDenied', 'not an IAM user, and the database denied access', log)
      client.deny(user, dialogue.gavePassword)
    } else client.fail({ errno, sqlState, message }, `error ${errno} of the database`)
    return undefined
  }
}

/** Returns a password in the clear as text. It ends with a NUL, which not every client sends. */
function textOf(password: Buffer): string {
  return password.subarray(0, password.at(-1) === 0 ? -1 : undefined).toString()
}
