import { type AdapterIam, adapterIam } from '../src/adapter.ts'
import type { AuroraIamOptions } from '../src/index.ts'
import { TARGET } from './support.ts'

/** Creates an AdapterIam on the default chain. */
export function start(options: AuroraIamOptions = {}): AdapterIam {
  return adapterIam({ rateLimit: false, ...options })
}

/** Returns the access key id of the token that `username` gets now. */
export async function accessKeyId(iam: AdapterIam, username = 'app'): Promise<string | undefined> {
  const { value } = await iam.token({ ...TARGET, username })
  return /X-Amz-Credential=(\w+)%2F/.exec(value)?.[1]
}

/** Rejects the token of `username` as the database does. Returns the error that the driver has then. */
export async function refused(iam: AdapterIam, username = 'app'): Promise<Error> {
  const login = await iam.login(iam.resolve({ host: TARGET.hostname, port: 3306, user: username }))
  await login.token()
  const error = Object.assign(new Error('Access denied'), { errno: 1045, code: 'ER_ACCESS_DENIED_ERROR' })
  login.fail(error)
  return error
}
