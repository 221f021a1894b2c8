import { setTimeout as sleep } from 'node:timers/promises'
import { type IoredisClient, inspectFleet, RateLimitError } from '@aurora-iam/rate-limit'
import { CommandError } from '../options/command-error.ts'
import { readRedisUrl } from '../options/redis-url.ts'
import { UsageError } from '../options/usage-error.ts'
import { type CliOutput, writeJson } from '../output/output.ts'
import { formatFleet } from './format-fleet.ts'

/** Options of {@link runFleet}, as commander returns them. */
export interface FleetFlags {
  readonly redis?: string
  readonly prefix?: string
  readonly watch?: boolean
  readonly json?: boolean
}

const WATCH_MS = 1000
const ANSWER_TIMEOUT_MS = 5000
const CLEAR_SCREEN = '\u001b[2J\u001b[H'

/**
 * Shows who holds permits of a fleet and who waits for one. It reads the key and changes nothing. With `--watch`, once
 * it has shown the fleet, it goes on until it is stopped, also while Redis is away or the key is empty.
 *
 * @throws {@link UsageError} for options that cannot be used; {@link CommandError} for a Redis that does not
 * answer or rejects the command, and for a key that does not exist
 */
export async function runFleet(
  key = 'default',
  flags: FleetFlags,
  { output, stopped }: { readonly output: CliOutput; stopped(): AbortSignal },
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const redis = readRedisUrl(flags, environment)
  if (redis === undefined) {
    throw new UsageError(
      '--redis is missing. Give the URL of the Redis that the fleet shares, or set AURORA_IAM_REDIS.',
    )
  }
  const { Redis } = await import('ioredis')
  const client = new Redis(redis.url, {
    lazyConnect: true,
    connectTimeout: ANSWER_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: () => (flags.watch ? WATCH_MS : null),
  })
  // The call that fails says only that there is no connection.
  let lost: (Error & { code?: string }) | undefined
  client.on('error', (error) => {
    lost = error
  })
  client.on('ready', () => {
    lost = undefined
  })
  const show = async () => {
    const fleet = await inspect(client, key, flags.prefix).catch((error: Error) => {
      if (error instanceof RateLimitError) throw new UsageError(`--${error.option}: ${error.message}`)
      const { url, option } = redis
      throw new CommandError(`${option}: the Redis at ${new URL(url).host} ${failureOf(error, lost)}`, {
        cause: error,
      })
    })
    if (!fleet)
      throw new CommandError(
        `No fleet uses the key ${JSON.stringify(key)} in this Redis. Check the key and --prefix.`,
      )
    if (!flags.json) output.out(`${clear}${formatFleet(key, fleet, output)}`)
    else if (flags.watch) output.out(`${JSON.stringify(fleet)}\n`)
    else writeJson(output, fleet)
  }
  const clear = flags.watch && output.isColourful ? CLEAR_SCREEN : ''
  try {
    await show()
    if (!flags.watch) return
    const signal = stopped()
    while (!signal.aborted) {
      await sleep(WATCH_MS, undefined, { signal }).catch(() => {})
      if (!signal.aborted)
        await show().catch((error: Error) => output.error(`aurora-iam: ${error.message}\n`))
    }
  } finally {
    client.disconnect()
  }
}

function failureOf(error: Error, lost: NodeJS.ErrnoException | undefined): string {
  if (error.name === 'ReplyError') {
    // The first word of an error of Redis is its code.
    const [code] = error.message.split(' ')
    return `rejects the command (${code}). Check the user and the password in the URL, and that this Redis is the fleet's.`
  }
  const reason = lost?.code ?? (error.message === 'Command timed out' ? 'ETIMEDOUT' : error.name)
  return `does not answer (${reason}).`
}

function inspect(client: IoredisClient, key: string, prefix: string | undefined) {
  return inspectFleet(client, key, prefix === undefined ? {} : { prefix })
}
