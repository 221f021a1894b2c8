import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalAuroraError } from '../errors.ts'
import { printableLines, quote } from '../printable.ts'
import type { KeyPair } from '../tls/key-pair.ts'
import { type Account, createAccountsSql, readOnlySql } from './accounts.ts'
import { awaitGreeting } from './await-greeting.ts'
import { findMariaDb, type MariaDbBinaries } from './mariadb-binaries.ts'
import { type SupervisedProcess, startSupervised } from './supervised-process.ts'

/** Options of {@link startMariaDb}. */
export interface MariaDbOptions {
  /** Created when the server starts. */
  readonly database: string
  /** Created with every right on `database` and on nothing else. */
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

/** Settings that the servers of a pair agree on. */
export interface ReplicationOptions {
  readonly serverId: number
  /** Where the server listens on 127.0.0.1. */
  readonly port: number
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
  /** Aborted when the server has ended, with a {@link LocalAuroraError} that has its last words as the reason. */
  readonly ended: AbortSignal
  /**
   * Shuts the server down cleanly and starts it again on the same data, which it refuses to change if `readOnly`.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_DATABASE_FAILED`: it has ended, or does not start again
   */
  restart(readOnly: boolean): Promise<void>
  /** Kills the server and removes its folder. May be called again. */
  close(): Promise<void>
}

/** Without the NUL at its end: https://man7.org/linux/man-pages/man7/unix.7.html; macOS and the BSDs have four bytes less. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103
/** Names that Aurora gives: the master user that its console proposes, and the one that AWS keeps. */
const ADMIN_USER = 'admin'
const INTERNAL_USER = 'rdsadmin'

const START_TIMEOUT_MS = 60_000
const POLL_MS = 20

/** The data are temporary and small: nothing is made safe against a crash. An unknown `loose` option is ignored. */
const TUNING = [
  '--loose-innodb-buffer-pool-size=32M',
  '--loose-innodb-log-file-size=8M',
  '--loose-innodb-undo-tablespaces=0',
  '--loose-innodb-flush-method=nosync',
  '--loose-innodb-flush-log-at-trx-commit=0',
  '--loose-innodb-doublewrite=OFF',
  '--loose-sync-frm=OFF',
  '--loose-aria-pagecache-buffer-size=8M',
  '--loose-key-buffer-size=1M',
  '--loose-performance-schema=OFF',
]

/** Settings of Aurora MySQL 8.0 where MariaDB would differ. */
const LIKE_AURORA = [
  '--character-set-server=utf8mb4',
  '--collation-server=utf8mb4_unicode_ci',
  '--max-allowed-packet=64M',
]

/**
 * Starts a private MariaDB in a new temporary folder, from the programs installed on this machine.
 *
 * Once started it does not keep this process alive; when the process ends in whatever way, the server is
 * killed and the folder removed.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_NO_DATABASE`, `ERR_LOCAL_AURORA_DATABASE_FAILED`,
 * `ERR_LOCAL_AURORA_ABORTED`
 */
export async function startMariaDb(options: MariaDbOptions): Promise<MariaDb> {
  const { database, users, certificate, replication, signal, binaries = findMariaDb() } = options
  if (signal?.aborted) throw aborted(signal)
  const passwords = replication?.passwords ?? newPasswords()
  const iamPassword = passwords.iam
  const admin = { user: ADMIN_USER, password: passwords.admin }
  const internal = { user: INTERNAL_USER, password: passwords.internal }
  const iamUsers = users.map((user) => ({ user, password: iamPassword }))
  const folder = await createFolder()
  const socketPath = join(folder, 'socket')
  const pidFile = join(folder, 'pid')
  // Not the machine's temporary folder: a server that starts removes the temporary tables of all others there.
  const temporary = join(folder, 'temporary')
  await Promise.all([mkdir(join(folder, 'data')), mkdir(temporary)])
  const initFile = join(folder, 'init.sql')
  await writeFile(
    initFile,
    createAccountsSql(database, { iamUsers, admin, internal }, replication !== undefined),
  )
  const tls = certificate === undefined ? [] : await writeCertificate(folder, certificate)

  const common = ['--no-defaults', `--datadir=${join(folder, 'data')}`, ...TUNING]
  // MariaDB refuses to run as root unless told so. Its installer takes `--user` as an order to change owners, and
  // does not quote the folder's name; it hands `--loose-user` to the server unread.
  if (process.getuid?.() === 0) common.push('--loose-user=root')
  const install = [
    // The installer splits options that it does not know at blanks, so the folder goes by the environment.
    'env',
    `TMPDIR=${temporary}`,
    binaries.installer,
    ...common,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
  ]
  const serve = [
    binaries.server,
    ...common,
    `--tmpdir=${temporary}`,
    ...LIKE_AURORA,
    `--socket=${socketPath}`,
    `--pid-file=${pidFile}`,
    `--init-file=${initFile}`,
    ...tls,
    ...networkOptions(replication),
    '--skip-name-resolve',
    '--max-connections=2000',
    // On a Unix socket, a connection beyond the backlog is refused at once.
    '--back-log=2000',
  ]
  const server = startSupervised(folder, installOnce(join(folder, 'data', 'mysql'), install, serve))
  let pid = 0
  // One that is shutting down greets to the last, but takes its file with it.
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
        // Killed a moment ago: it does not come back, and the wait reports that.
      }
      await untilNew(pid)
    },
    close: () => server.stop(),
  }
}

/** Returns a signal that is aborted with the error to tell when the server has ended for good. */
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

async function writeCertificate(folder: string, { key, cert }: KeyPair): Promise<string[]> {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  await Promise.all([writeFile(keyFile, key, { mode: 0o600 }), writeFile(certFile, cert)])
  return [`--ssl-key=${keyFile}`, `--ssl-cert=${certFile}`]
}

/** Returns random passwords. */
export function newPasswords(): Passwords {
  const newPassword = (): string => randomBytes(24).toString('base64url')
  return { iam: newPassword(), admin: newPassword(), internal: newPassword() }
}

/** Returns the network options: MariaDB replicates over TCP alone. */
function networkOptions(replication: ReplicationOptions | undefined): string[] {
  if (replication === undefined) return ['--skip-networking']
  return [
    '--bind-address=127.0.0.1',
    `--port=${replication.port}`,
    `--server-id=${replication.serverId}`,
    '--log-bin=binlog',
    '--log-slave-updates',
    '--relay-log=relay',
  ]
}

/** Creates the folder of one server. Only its owner may enter, so that no other user of the machine reaches the socket. */
async function createFolder(): Promise<string> {
  const parent = resolve(tmpdir())
  const socketBytes = Buffer.byteLength(join(parent, 'aurora-iam-XXXXXX', 'socket'))
  if (socketBytes > MAX_SOCKET_PATH_BYTES) {
    const limit = MAX_SOCKET_PATH_BYTES - socketBytes + Buffer.byteLength(parent)
    const message =
      `TMPDIR: ${quote(parent)} is too long for the path of a Unix socket: it has ` +
      `${Buffer.byteLength(parent)} bytes, the limit is ${limit}. Set TMPDIR to a shorter path, such as /tmp`
    throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'TMPDIR' })
  }
  try {
    return await mkdtemp(join(parent, 'aurora-iam-'))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const message = `TMPDIR: cannot create a folder in ${quote(parent)} (${code}). Set TMPDIR to a folder that you can write to`
    throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'TMPDIR', cause })
  }
}

/** Returns one command that runs `install` unless `installed` exists, and then becomes `serve`. */
function installOnce(installed: string, install: readonly string[], serve: readonly string[]): string[] {
  const shellWords = (command: readonly string[]) =>
    command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const isInstalled = shellWords(['test', '-d', installed])
  return ['/bin/sh', '-c', `(${isInstalled} || ${shellWords(install)}) && exec ${shellWords(serve)}`]
}

async function untilReady(
  server: SupervisedProcess,
  signal: AbortSignal | undefined,
  isReady: (giveUp: AbortSignal) => Promise<boolean>,
): Promise<void> {
  const tooLate = AbortSignal.timeout(START_TIMEOUT_MS)
  const giveUp = AbortSignal.any([server.ended, tooLate, ...(signal === undefined ? [] : [signal])])
  while (!giveUp.aborted) {
    // What fails is not there yet, unless the start was aborted meanwhile.
    if (await isReady(giveUp).catch(() => false)) return
    await sleep(POLL_MS)
  }
  const wasRunning = !server.ended.aborted
  await server.stop()
  if (signal?.aborted) throw aborted(signal)
  const message = wasRunning
    ? `MariaDB was not ready within ${START_TIMEOUT_MS} ms`
    : `MariaDB ended while it was starting. Its last words:\n${printableLines(server.ended.reason.message)}`
  throw new LocalAuroraError('ERR_LOCAL_AURORA_DATABASE_FAILED', message, { cause: giveUp.reason })
}

function aborted(signal: AbortSignal): LocalAuroraError {
  return new LocalAuroraError('ERR_LOCAL_AURORA_ABORTED', 'The start of MariaDB was aborted', {
    cause: signal.reason,
  })
}
