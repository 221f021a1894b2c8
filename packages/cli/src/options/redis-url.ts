import { UsageError } from './usage-error.ts'

/**
 * Returns the URL of the Redis that a fleet shares, from `--redis` or from `AURORA_IAM_REDIS`; undefined without both.
 *
 * @throws {@link UsageError}
 */
export function readRedisUrl(
  { redis }: { readonly redis?: string },
  environment: NodeJS.ProcessEnv,
): string | undefined {
  const url = redis ?? (environment.AURORA_IAM_REDIS || undefined)
  if (url === undefined || (URL.canParse(url) && /^rediss?:$/.test(new URL(url).protocol))) return url
  const option = redis === undefined ? 'AURORA_IAM_REDIS' : '--redis'
  throw new UsageError(`${option}: expected a URL in the form redis://host:6379 or rediss://host:6379.`)
}
