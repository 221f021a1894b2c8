import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { adapterIam } from '@aurora-iam/core/adapter'
import { startGateway } from '../gateway/gateway.ts'
import { type ListenAddress, MAX_SOCKET_PATH_BYTES } from '../gateway/listen.ts'
import { newPassword } from '../gateway/one-time-password.ts'
import { readRateLimit } from '../gateway/rate-limit.ts'
import type { GatewayFlags } from '../options/gateway-flags.ts'
import { readNumber } from '../options/numbers.ts'
import { readTarget } from '../options/target.ts'
import { createTemporaryFolder } from '../options/temporary-folder.ts'
import { UsageError } from '../options/usage-error.ts'
import { inNames } from '../output/in-names.ts'
import type { CliOutput } from '../output/output.ts'
import { CleanUp } from '../util/clean-up.ts'
import { type Endpoint, environmentFor, readTemplate } from './environment.ts'
import { optionFile } from './option-file.ts'
import { runChild } from './run-child.ts'

/** Options of {@link runExec}, as commander returns them. */
export interface ExecFlags extends GatewayFlags {
  readonly env?: readonly string[]
}

/**
 * Runs a command beside a gateway for it alone. Returns the exit status of the command.
 *
 * @throws {@link UsageError} for options that cannot be used, and on Windows; AuroraIamError for a host name or trust
 * roots that cannot be used
 */
export async function runExec(
  flags: ExecFlags,
  [command, ...args]: readonly [string, ...string[]],
  output: CliOutput,
): Promise<number> {
  refuseWindows()
  const { host, port, user, database = '', iam: options, names } = readTarget(flags)
  const templates = (flags.env ?? []).map(readTemplate)
  const maxConnections = readNumber(flags.maxConnections, '--max-connections')
  const { rateLimit, maxWaitMs, close } = await readRateLimit(flags)
  await using cleanUp = new CleanUp()
  cleanUp.defer(close)
  const iam = inNames(names, () => adapterIam({ ...options, rateLimit, maxWaitMs }))
  cleanUp.defer(() => iam.close())
  const target = inNames(names, () => iam.resolve({ host, port, user }))
  // Reports wrong trust roots before the command starts.
  inNames(names, () => iam.tls(target))
  const folder = await createTemporaryFolder()
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }))
  const password = newPassword()
  const socket = join(folder, 'mysql.sock')
  const listen: ListenAddress[] = [{ host: '127.0.0.1', port: 0 }]
  const hasSocket = Buffer.byteLength(socket) <= MAX_SOCKET_PATH_BYTES
  if (hasSocket) listen.push({ socket })
  const gateway = await startGateway({
    iam,
    target,
    account: { user, password },
    listen,
    maxConnections,
    allowsLocalInfile: flags.allowLocalInfile,
  })
  cleanUp.defer(() => gateway.close())
  const [tcp] = gateway.addresses as [{ host: string; port: number }]
  const endpoint: Endpoint = {
    ...tcp,
    socket: hasSocket ? socket : '',
    user,
    password,
    database,
    optionFolder: folder,
  }
  await writeFile(join(folder, 'my.cnf'), optionFile(endpoint), { mode: 0o600 })
  const environment = environmentFor(endpoint, templates, process.env)
  return await runChild(command, args, { environment, folder, output })
}

/**
 * Windows has no signals to forward and no shell for the guard. Its `npx` is a batch file, which cannot be started
 * without a shell and its rules of quoting.
 */
function refuseWindows(): void {
  if (process.platform !== 'win32') return
  throw new UsageError(
    'exec does not run on Windows: it could not end the command with itself. ' +
      'Use aurora-iam proxy and give its address to the command, or run exec in WSL.',
  )
}
