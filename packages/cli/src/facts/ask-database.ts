import { adapterIam } from '@aurora-iam/core/adapter'
import { ASK_DOCTOR, clientErrorFor } from '../gateway/client-error.ts'
import { Upstream } from '../gateway/upstream.ts'
import { CommandError } from '../options/command-error.ts'
import type { Target } from '../options/target.ts'
import { type ConnectionFacts, readConnectionFacts } from './connection-facts.ts'

/** Facts about a database that one login shows. */
export interface DatabaseFacts extends ConnectionFacts {
  /** Duration of the login, in milliseconds. */
  readonly loginMs: number
}

/** Time limit of the login and the queries, in milliseconds. */
const TIMEOUT_MS = 20_000

/**
 * Logs in once and asks a database for its facts.
 *
 * @throws {@link CommandError} with the reason, for a database that gives no session
 */
export async function askDatabase({
  host,
  port,
  user,
  iam: options,
}: Omit<Target, 'names'>): Promise<DatabaseFacts> {
  const iam = adapterIam(options)
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  let upstream: Upstream | undefined
  try {
    const target = iam.resolve({ host, port, user })
    // The first token loads the AWS SDK and the credentials, which is no part of a login.
    await iam.token(target)
    const startedAt = performance.now()
    upstream = await Upstream.open(iam, target, signal, signal)
    const wish = { capabilities: 0, database: undefined, collation: 45, attributes: undefined }
    const session = await upstream.logIn(wish, signal)
    const loginMs = performance.now() - startedAt
    return { ...(await readConnectionFacts(session)), loginMs }
  } catch (error) {
    const { errno, message } = clientErrorFor(error as Error)
    const reason = message.endsWith(ASK_DOCTOR) ? message : `${message.replace(/\.$/, '')}. ${ASK_DOCTOR}`
    throw new CommandError(`The database was not asked (${errno}): ${reason}`, { cause: error })
  } finally {
    upstream?.destroy()
    iam.close()
  }
}
