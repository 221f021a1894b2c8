import { join } from 'node:path'
import type { MariaDbBinaries } from './mariadb-binaries.ts'

/** Settings that the servers of a pair agree on. */
export interface ReplicationSettings {
  readonly serverId: number
  /** Port of the server on 127.0.0.1. */
  readonly port: number
}

/** Files and settings of one server. */
export interface ServerSettings {
  readonly binaries: MariaDbBinaries
  readonly folder: string
  readonly socketPath: string
  readonly pidFile: string
  readonly initFile: string
  /** Temporary folder of this server alone: at its start a server removes the temporary tables in the folder. */
  readonly temporary: string
  /** Options for TLS. */
  readonly tls: readonly string[]
  readonly replication: ReplicationSettings | undefined
}

/** Options for small data that need not survive a crash. An unknown `loose` option is ignored. */
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

/** Returns the command that installs the data of a server, unless they are there, and then becomes the server. */
export function serverCommand(settings: ServerSettings): string[] {
  const { binaries, folder, socketPath, pidFile, initFile, temporary, tls, replication } = settings
  const data = join(folder, 'data')
  const common = ['--no-defaults', `--datadir=${data}`, ...TUNING]
  // MariaDB refuses to run as root without this option. Its installer takes `--user` as an order to change owners, and
  // does not quote the folder's name; it hands `--loose-user` to the server unread.
  if (process.getuid?.() === 0) common.push('--loose-user=root')
  const install = [
    // The installer splits unknown options at blanks, so it gets the folder by the environment.
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
    // Local Aurora limits the time of a login. The database sends its greeting first and gets its login last, so its
    // limit of 10 seconds would run for the whole login, and end it on a busy machine.
    '--connect-timeout=3600',
  ]
  return installOnce(join(data, 'mysql'), install, serve)
}

/** Returns the network options: MariaDB replicates over TCP alone. */
function networkOptions(replication: ReplicationSettings | undefined): string[] {
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

/** Returns one command that runs `install` unless `installed` exists, and then becomes `serve`. */
function installOnce(installed: string, install: readonly string[], serve: readonly string[]): string[] {
  const shellWords = (command: readonly string[]) =>
    command.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const isInstalled = shellWords(['test', '-d', installed])
  return ['/bin/sh', '-c', `(${isInstalled} || ${shellWords(install)}) && exec ${shellWords(serve)}`]
}
