import {
  encodeAuthSwitchRequest,
  type Greeting,
  type HandshakeResponse,
  type Session,
  type WireError,
} from '@aurora-iam/wire'
import type { FrontClient } from './client.ts'
import {
  type Gatekeeper,
  judge,
  type LoginAttempt,
  recordSuccess,
  recordToken,
  refuse,
} from './gatekeeper.ts'

const CLEAR_PASSWORD = 'mysql_clear_password'

/** The one error behind that a client must not see: the account there is none of its business. */
const ACCESS_DENIED = 1045

/** Asks for the token in the only way that Aurora knows. Some clients want a scramble even where it has no use. */
export async function askForToken(client: FrontClient, greeting: Greeting): Promise<string> {
  const data = Buffer.concat([greeting.scramble, Buffer.alloc(1)])
  client.channel.write(encodeAuthSwitchRequest({ authPlugin: CLEAR_PASSWORD, data }))
  return textOf((await client.read()).payload)
}

/** What a client sent in the clear without being asked, as it does when the greeting names that plugin. */
export function unaskedToken(
  response: Pick<HandshakeResponse, 'authPlugin' | 'authResponse'>,
): string | undefined {
  const token = response.authPlugin === CLEAR_PASSWORD ? textOf(response.authResponse) : ''
  return token === '' ? undefined : token
}

/**
 * Judges a token and opens the session behind if it is good. Whatever went wrong, the client has been told when this
 * resolves without a session.
 */
export async function admit(
  attempt: LoginAttempt,
  client: FrontClient,
  gatekeeper: Gatekeeper,
  openSession: () => Promise<Session>,
): Promise<Session | undefined> {
  const { faults, user, token } = attempt
  recordToken(attempt, client.encrypted, gatekeeper.log)
  if (faults.hang === 'after-token') {
    await client.hang()
    return undefined
  }
  await client.pause(faults.authDelayMs ?? 0)
  if (!judge(attempt, gatekeeper)) {
    client.deny(user, token !== '')
    return undefined
  }
  try {
    const session = await client.within(openSession())
    recordSuccess(attempt, gatekeeper.log)
    return session
  } catch (error) {
    const { code, errno, sqlState, message } = error as WireError
    if (code === 'ERR_WIRE_SERVER' && errno !== undefined && errno !== ACCESS_DENIED) {
      client.fail({ errno, sqlState, message }, `error ${errno} of the database behind`)
    } else {
      refuse(attempt, 'InternalError', `the database behind opened no session (${code})`, gatekeeper.log)
      client.deny(user, true)
    }
    return undefined
  }
}

/** A password in the clear ends with a NUL; not every client sends it. */
function textOf(password: Buffer): string {
  return password.subarray(0, password.at(-1) === 0 ? -1 : undefined).toString()
}
