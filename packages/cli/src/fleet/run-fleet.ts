import { setTimeout as sleep } from 'node:timers/promises'
import { inspectFleet } from '@aurora-iam/rate-limit'
import { CommandError } from '../options/command-error.ts'
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
const CONNECT_TIMEOUT_MS = 5000
const CLEAR_SCREEN = '\u001b[2J\u001b[H'

/**
 * Shows who holds permits of a fleet and who waits for one. It reads the key and changes nothing.
 *
 * @throws {@link UsageError}; {@link CommandError} for a Redis that does not answer and a key that does not exist
 */
export async function runFleet(
  key = 'default',
  flags: FleetFlags,
  { output, stopped }: { readonly output: CliOutput; stopped(): AbortSignal },
  environment: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const url = flags.redis ?? (environment.AURORA_IAM_REDIS || undefined)
  if (url === undefined)
    throw new UsageError('--redis is missing. Give the URL of the Redis that the fleet shares.')
  if (!URL.canParse(url) || !/^rediss?:$/.test(new URL(url).protocol))
    throw new UsageError('--redis: expected a URL in the form redis://host:6379 or rediss://host:6379.')
  const { Redis } = await import('ioredis')
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: 1,
    retryStrategy: () => null,
  })
  // The call that fails says only that there is no connection.
  let lost: (Error & { code?: string }) | undefined
  client.on('error', (error) => {
    lost = error
  })
  const stop = flags.watch ? stopped() : undefined
  try {
    do {
      const fleet = await inspectFleet(
        client,
        key,
        flags.prefix === undefined ? {} : { prefix: flags.prefix },
      )
      if (!fleet)
        throw new CommandError(
          `No fleet uses the key ${JSON.stringify(key)} in this Redis. Check the key and --prefix.`,
        )
      if (flags.json) flags.watch ? output.out(`${JSON.stringify(fleet)}\n`) : writeJson(output, fleet)
      else
        output.out(
          `${flags.watch && output.isColourful ? CLEAR_SCREEN : ''}${formatFleet(key, fleet, output)}`,
        )
      if (stop) await sleep(WATCH_MS, undefined, { signal: stop }).catch(() => {})
    } while (stop && !stop.aborted)
  } catch (error) {
    if (error instanceof CommandError) throw error
    const reason = lost?.code ?? (error as Error).name
    throw new CommandError(`--redis: the Redis at ${new URL(url).host} does not answer (${reason}).`, 1, {
      cause: error,
    })
  } finally {
    client.disconnect()
  }
}
