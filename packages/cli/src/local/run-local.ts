import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatEvent, type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { CommandError } from '../options/command-error.ts'
import { readNumber } from '../options/numbers.ts'
import { createTemporaryFolder } from '../options/temporary-folder.ts'
import type { CliOutput } from '../output/output.ts'
import { CleanUp } from '../util/clean-up.ts'
import { untilAborted } from '../util/until-aborted.ts'
import { loginLines } from './login-lines.ts'

/** Options of {@link runLocal}, as commander returns them. */
export interface LocalFlags {
  readonly port?: string
  readonly user?: readonly string[]
  readonly database?: string
  readonly backend?: string
  readonly throttle?: string
  readonly json?: boolean
}

/**
 * Runs a Local Aurora until `signal` aborts.
 *
 * @throws {@link CommandError} if its database ends; UsageError or LocalAuroraError if it cannot start
 */
export async function runLocal(flags: LocalFlags, output: CliOutput, signal: AbortSignal): Promise<void> {
  const { user: users, database, backend, json } = flags
  const port = readNumber(flags.port, '--port', { least: 0, most: 65_535 })
  const throttle = readNumber(flags.throttle, '--throttle')
  await using cleanUp = new CleanUp()
  const options = { port, throttle, users, database, backend }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const aurora = await startLocalAurora({ ...given, signal }).catch((error: Error) => {
    if (signal.aborted) return undefined
    throw error
  })
  if (aurora === undefined) return
  cleanUp.defer(() => aurora.close())
  const folder = await createTemporaryFolder()
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }))
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, aurora.ca)
  const user = users?.[0] ?? 'app'
  if (json) {
    const { host, port: listening, hostname, region, database: name, credentials } = aurora
    const facts = {
      type: 'listening',
      host,
      port: listening,
      hostname,
      region,
      database: name,
      user,
      caFile,
      credentials,
    }
    output.out(`${JSON.stringify(facts)}\n`)
  } else output.out(loginLines(aurora, user, caFile))
  const off = json
    ? aurora.log.on((event) => output.out(`${JSON.stringify(event)}\n`))
    : output.isInteractive
      ? showLive(aurora, output)
      : aurora.log.on((event) => output.out(`${formatEvent(event)}\n`))
  cleanUp.defer(off)
  await untilAborted(AbortSignal.any([signal, aurora.ended]))
  if (!signal.aborted) throw new CommandError(`The database ended: ${(aurora.ended.reason as Error).message}`)
}

/** Shows the counts in one line of the terminal, which each event rewrites. */
function showLive(aurora: LocalAurora, output: CliOutput): () => void {
  const { log } = aurora
  const off = log.on(() => {
    const counts = [
      `${aurora.openConnections} open`,
      `${log.logins.length} logins`,
      `${log.refusals.length} rejected`,
      `at most ${log.peakTokens(1_000)} tokens in a second`,
    ]
    output.error(`\r\u001b[K${counts.join(', ')}`)
  })
  return () => {
    off()
    output.error('\n')
  }
}
