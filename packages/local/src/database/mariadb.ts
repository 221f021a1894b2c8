import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { LocalAuroraError } from '../errors.ts'
import { printableLines } from '../printable.ts'
import type { KeyPair } from '../tls/key-pair.ts'
import { type Account, createAccountsSql, readOnlySql } from './accounts.ts'
import { awaitGreeting } from './await-greeting.ts'
import { findMariaDb, type MariaDbBinaries } from './mariadb-binaries.ts'
import { type ReplicationSettings, serverCommand } from './mariadb-command.ts'
import { createFolder, writeCertificate } from './server-folder.ts'
import { type SupervisedProcess, startSupervised } from './supervised-process.ts'
import { startAborted, untilReady } from './until-ready.ts'

/** Options of {@link startMariaDb}. */
export interface MariaDbOptions {
  /** Name of the database, which is created at the start. */
  readonly database: string
  /** Users for IAM, who get every right on `database` and no other right. */
  readonly users: readonly string[]
  /** Certificate for TLS. @defaultValue none, and no TLS */
  readonly certificate?: KeyPair
  /** Makes the server one of a pair, see {@link MariaDbPair}. @defaultValue none: no network, no binary log */
  readonly replication?: ReplicationOptions
  /** Aborts the start. */
  readonly signal?: AbortSignal
  /** @defaultValue what {@link findMariaDb} finds */
  readonly binaries?: MariaDbBinaries
}

/** Settings that the servers of a pair agree on, with their passwords. */
export interface ReplicationOptions extends ReplicationSettings {
  readonly passwords: Passwords
}

/** Passwords of the accounts of a private database. */
export interface Passwords {
  readonly iam: string
  readonly admin: string
  readonly internal: string
}

/** Private MariaDB server, on a Unix socket, with data that are deleted when it ends. */
export interface MariaDb {
  readonly socketPath: string
  readonly pid: number
  /** The account of the administrator. */
  readonly admin: Account
  /** The account of Local Aurora itself, which may write even if the server is read-only. */
  readonly internal: Account
  /** Password of every user who logs in with IAM. */
  readonly iamPassword: string
  /** Returns the account of a user who logs in with IAM. */
  account(user: string): Account
  /** Signal that aborts when the server ends. Its reason is a {@link LocalAuroraError} with the last output. */
  readonly ended: AbortSignal
  /**
   * Shuts the server down cleanly and starts it again on the same data. With `readOnly` it then refuses changes.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_DATABASE_FAILED`: it has ended, or does not start again
   */
  restart(readOnly: boolean): Promise<void>
  /** Kills the server and removes its folder. May be called again. */
  close(): Promise<void>
}

/** Names as in Aurora: the master user that its console proposes, and the user of AWS. */
const ADMIN_USER = 'admin'
const INTERNAL_USER = 'rdsadmin'

/**
 * Starts a private MariaDB in a new temporary folder, from the programs installed on this machine.
 *
 * It does not keep this process alive. When the process ends in any way, the server is killed and the folder is
 * removed.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_NO_DATABASE`, `ERR_LOCAL_AURORA_DATABASE_FAILED`,
 * `ERR_LOCAL_AURORA_ABORTED`
 */
export async function startMariaDb(options: MariaDbOptions): Promise<MariaDb> {
  const { database, users, certificate, replication, signal, binaries = findMariaDb() } = options
  if (signal?.aborted) throw startAborted(signal)
  const passwords = replication?.passwords ?? newPasswords()
  const iamPassword = passwords.iam
  const admin = { user: ADMIN_USER, password: passwords.admin }
  const internal = { user: INTERNAL_USER, password: passwords.internal }
  const iamUsers = users.map((user) => ({ user, password: iamPassword }))
  const folder = await createFolder()
  const socketPath = join(folder, 'socket')
  const pidFile = join(folder, 'pid')
  const temporary = join(folder, 'temporary')
  await Promise.all([mkdir(join(folder, 'data')), mkdir(temporary)])
  const initFile = join(folder, 'init.sql')
  await writeFile(
    initFile,
    createAccountsSql(database, { iamUsers, admin, internal }, replication !== undefined),
  )
  const tls = certificate === undefined ? [] : await writeCertificate(folder, certificate)

  const places = { binaries, folder, socketPath, pidFile, initFile, temporary }
  const server = startSupervised(folder, serverCommand({ ...places, tls, replication }))
  let pid = 0
  // A server that shuts down may still greet, but its pid file is gone.
  const untilNew = async (former: number, giveUp?: AbortSignal) =>
    untilReady(server, giveUp, async (tooLate) => {
      await awaitGreeting(connect(socketPath), tooLate)
      const now = Number(await readFile(pidFile, 'utf8'))
      if (now === 0 || now === former) return false
      pid = now
      return true
    })
  await untilNew(pid, signal)
  server.unref()
  return {
    socketPath,
    get pid() {
      return pid
    },
    admin,
    internal,
    iamPassword,
    account: (user) => ({ user, password: iamPassword }),
    ended: endOf(server),
    async restart(readOnly) {
      if (server.ended.aborted) throw ended(server)
      try {
        await writeFile(initFile, readOnlySql(readOnly))
        process.kill(pid, 'SIGTERM')
      } catch {
        // The server was killed meanwhile. The wait reports that it does not come back.
      }
      await untilNew(pid)
    },
    close: () => server.stop(),
  }
}

/** Returns a signal that aborts with the error to report when the server ends. */
function endOf(server: SupervisedProcess): AbortSignal {
  const end = new AbortController()
  server.ended.addEventListener('abort', () => end.abort(ended(server)), { once: true })
  return end.signal
}

function ended({ ended: { reason } }: SupervisedProcess): LocalAuroraError {
  const lastWords = printableLines((reason as Error | undefined)?.message ?? '')
  const message = `The private MariaDB has ended: it was killed or crashed. Start a new Local Aurora. Its last words:\n${lastWords}`
  return new LocalAuroraError('ERR_LOCAL_AURORA_DATABASE_FAILED', message, { cause: reason })
}

/** Returns random passwords. */
export function newPasswords(): Passwords {
  const newPassword = (): string => randomBytes(24).toString('base64url')
  return { iam: newPassword(), admin: newPassword(), internal: newPassword() }
}
