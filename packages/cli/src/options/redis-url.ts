import { assertEncodedPassword } from './encoded-password.ts'
import { UsageError } from './usage-error.ts'

/** URL of a Redis, and what the user set it with. */
export interface RedisUrl {
  readonly url: string
  readonly option: '--redis' | 'AURORA_IAM_REDIS'
}

/**
 * Returns the URL of the Redis that a fleet shares, from `--redis` or from `AURORA_IAM_REDIS`; undefined without both.
 *
 * @throws {@link UsageError} which quotes nothing of the URL: it may hold a password
 */
export function readRedisUrl(
  { redis }: { readonly redis?: string },
  environment: NodeJS.ProcessEnv,
): RedisUrl | undefined {
  const text = redis ?? (environment.AURORA_IAM_REDIS || undefined)
  if (text === undefined) return undefined
  const option = redis === undefined ? 'AURORA_IAM_REDIS' : '--redis'
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^rediss?:$/.test(url.protocol))
    throw new UsageError(`${option}: expected a URL in the form redis://host:6379 or rediss://host:6379.`)
  assertEncodedPassword(url, option)
  return { url: text, option }
}
