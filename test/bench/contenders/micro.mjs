// The steps of a login without a network: a token from the cache, a permit, and both together.
import { createAuroraIam } from '@aurora-iam/core'
import { adapterIam } from '@aurora-iam/core/adapter'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { Signer } from '@aws-sdk/rds-signer'

const hostname = 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}
// Permits cool down for an interval. A short one keeps as few of them as a program that logs in at a real rate.
const rateLimit = { limit: 10_000_000, intervalMs: 1 }

export async function setUp() {
  const iam = createAuroraIam({ credentials, rateLimit })
  const adapter = adapterIam(iam)
  const target = { hostname, port: 3306, username: 'app' }
  const resolved = adapter.resolve({ host: hostname, port: 3306, user: 'app' })
  const limiter = createRateLimiter(rateLimit)
  const signer = new Signer({ ...target, region: 'eu-west-1', credentials })
  ;(await adapter.login(resolved)).succeed()
  const logIn = async () => {
    const login = adapter.tryLogin(resolved) ?? (await adapter.login(resolved))
    login.trackConnect()
    login.confirmPermit()
    await login.token()
    login.succeed()
  }
  const times = (work) => async (count) => {
    for (let i = 0; i < count; i++) await work()
  }
  return {
    nothing: times(async () => {}),
    token: times(() => iam.token(target)),
    sign: times(() => signer.getAuthToken()),
    permit: times(async () => (await limiter.acquire()).release()),
    login: times(logIn),
  }
}
