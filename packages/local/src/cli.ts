import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LocalAuroraError } from './errors.ts'
import type { LocalAurora } from './local-aurora.ts'
import { formatEvent } from './log/log-events.ts'
import type { LocalAuroraOptions } from './options.ts'
import { codeString, shellWord } from './quoted.ts'
import { startLocalAurora } from './start-local-aurora.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

const USAGE = `local-aurora [options]

Starts an Aurora MySQL for this machine alone. It requires TLS and an IAM token, and uses a real database.

  --port <number>       port to listen on (default: any that is free)
  --user <name>         database user who may log in; may be repeated (default: app)
  --database <name>     database that is there from the start (default: app)
  --backend <url>       mysql:// URL of a database that runs already (default: a private MariaDB)
  --throttle <number>   logins accepted per second (default: 20)
  -h, --help            print this text
  --version             print the version

Exit status: 0 when SIGTERM or SIGINT ends it, 1 when it fails.
`

/** Arguments of a command, and where it writes its output. */
export interface CliSettings {
  readonly arguments: readonly string[]
  write(text: string): void
  /** Ends the command when it aborts. */
  readonly signal: AbortSignal
}

/**
 * Runs `local-aurora` until `signal` aborts or its database ends.
 *
 * @throws {@link LocalAuroraError} as {@link startLocalAurora} does, for arguments that cannot be used, and when the
 * database ends
 */
export async function runCli({ arguments: args, write, signal }: CliSettings): Promise<void> {
  const { help, version, ...given } = parseStrictly(args)
  if (help) return write(USAGE)
  if (version) return write(`${readVersion()}\n`)
  const options = optionsOf(given)
  await using aurora = await startLocalAurora({ ...options, signal })
  const folder = await createTemporaryFolder()
  try {
    const caFile = join(folder, 'ca.pem')
    await writeFile(caFile, aurora.ca)
    write(introduce(aurora, options.users?.[0] ?? 'app', caFile))
    aurora.log.on((event) => write(`${formatEvent(event)}\n`))
    await untilAborted(AbortSignal.any([signal, aurora.ended]))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  if (!signal.aborted) throw aurora.ended.reason
}

/** Runs the program until SIGINT or SIGTERM. Writes errors to standard error. */
export async function main(): Promise<void> {
  // A reader that closed its end, as `head` does, ends the log and not the database, which clients still use.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
  try {
    const write = (text: string): void => void process.stdout.write(text)
    await runCli({ arguments: process.argv.slice(2), write, signal: stop.signal })
  } catch (error) {
    if (!(error instanceof LocalAuroraError)) throw error
    if (error.code === 'ERR_LOCAL_AURORA_ABORTED') return
    process.stderr.write(`local-aurora: ${error.message}\n`)
    process.exitCode = 1
  }
}

function optionsOf(given: ReturnType<typeof parseStrictly>): LocalAuroraOptions {
  const { port, user, database, backend, throttle } = given
  return {
    ...(port !== undefined && { port: readNumber(port) }),
    ...(user !== undefined && { users: user }),
    ...(database !== undefined && { database }),
    ...(backend !== undefined && { backend }),
    ...(throttle !== undefined && { throttle: readNumber(throttle) }),
  }
}

/** Returns the number in digits, else NaN, which the option refuses. `Number` reads '' as 0, and 0x10 as 16. */
function readNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}

function parseStrictly(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: 'string' },
        user: { type: 'string', multiple: true },
        database: { type: 'string' },
        backend: { type: 'string' },
        throttle: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values
  } catch (cause) {
    const message = `${(cause as Error).message}\n\n${USAGE}`
    throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { cause })
  }
}

function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version
}

/** Waits for `signal`, and keeps the process alive meanwhile. */
async function untilAborted(signal: AbortSignal): Promise<void> {
  const alive = setInterval(() => {}, 2 ** 30)
  if (!signal.aborted)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  clearInterval(alive)
}

function introduce(aurora: LocalAurora, user: string, caFile: string): string {
  const { host, port, hostname, region, database, credentials } = aurora
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  return `Local Aurora listens on ${host}:${port}. Sign for ${hostname}:${port} in ${region}.
These credentials are valid for it alone, and while it runs:

export AWS_ACCESS_KEY_ID=${accessKeyId}
export AWS_SECRET_ACCESS_KEY=${secretAccessKey}
export AWS_SESSION_TOKEN=${sessionToken}
export AWS_REGION=${region}
export AURORA_IAM_CA=${shellWord(caFile)}

npx aurora-iam doctor --host ${hostname} --port ${port} --dial ${host}:${port} --user ${shellWord(user)}

import { readFileSync } from 'node:fs'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createPool } from 'mysql2/promise'

const pool = createPool(withAuroraIam(
  { host: '${host}', port: ${port}, user: ${codeString(user)}, database: ${codeString(database)} },
  { hostname: '${hostname}', ca: readFileSync(process.env.AURORA_IAM_CA, 'utf8') },
))

`
}
