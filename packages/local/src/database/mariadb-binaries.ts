import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { basename, delimiter, dirname, join } from 'node:path'
import { LocalAuroraError } from '../errors.ts'

/** Paths of the programs that make and run a MariaDB. */
export interface MariaDbBinaries {
  readonly server: string
  readonly installer: string
}

/** One program that a start needs. */
interface Program {
  /** File names, the current one first. */
  readonly names: readonly string[]
  /** Package of Debian and Ubuntu that contains the program. */
  readonly debian: string
}

const SERVER: Program = { names: ['mariadbd', 'mysqld'], debian: 'mariadb-server-core' }
const INSTALLER: Program = {
  names: ['mariadb-install-db', 'mysql_install_db'],
  debian: 'mariadb-server-core',
}
/** The installer is a shell script that runs this program first. */
const DEFAULTS_READER: Program = { names: ['my_print_defaults'], debian: 'mariadb-client-core' }

/** Server programs are often left out of a user's PATH. */
const USUAL_FOLDERS = [
  '/usr/sbin',
  '/usr/bin',
  '/usr/libexec',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/local/mysql/bin',
  '/usr/local/mysql/scripts',
  '/opt/homebrew/bin',
]

/**
 * Finds an installed MariaDB that can start: the server, its installer and the program that the installer runs.
 *
 * @param path - the folders to search before the usual ones, separated as in `PATH`
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_NO_DATABASE`, with the missing programs and their packages
 */
export function findMariaDb(path = process.env.PATH ?? '', usualFolders = USUAL_FOLDERS): MariaDbBinaries {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...usualFolders]
  const server = findProgram(SERVER, folders, isMariaDb)
  const installer = findProgram(INSTALLER, folders)
  // An unpacked archive has it beside the installer or one level up, where the installer looks too.
  const besideInstaller = installer === undefined ? [] : foldersAround(installer)
  const defaultsReader = findProgram(DEFAULTS_READER, [...folders, ...besideInstaller])
  if (server !== undefined && installer !== undefined && defaultsReader !== undefined) {
    return { server, installer }
  }
  const missing = [
    ...(server === undefined ? [SERVER] : []),
    ...(installer === undefined ? [INSTALLER] : []),
    ...(defaultsReader === undefined ? [DEFAULTS_READER] : []),
  ]
  throw new LocalAuroraError('ERR_LOCAL_AURORA_NO_DATABASE', missingMessage(missing, usualFolders))
}

function missingMessage(missing: readonly Program[], usualFolders: readonly string[]): string {
  const programs = missing.map(({ names }) => names.join(' or ')).join(', ')
  const packages = [...new Set(missing.map(({ debian }) => debian))].join(' ')
  return (
    `A private MariaDB cannot start: no ${programs} on PATH or in ${usualFolders.join(', ')}. Install MariaDB ` +
    `(Debian, Ubuntu: apt-get install ${packages}; macOS: brew install mariadb), or name a running ` +
    'database by AURORA_IAM_BACKEND=mysql://user:password@host:port/database'
  )
}

function findProgram(
  { names }: Program,
  folders: readonly string[],
  isRight: (file: string) => boolean = () => true,
): string | undefined {
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return candidates.find((file) => isExecutable(file) && isRight(file))
}

function foldersAround(file: string): string[] {
  const folder = dirname(file)
  return [folder, join(folder, '..', 'bin'), join(folder, '..', 'extra')]
}

/** Returns whether `server` is MariaDB's. MySQL calls its server `mysqld` too, and has another installer. */
function isMariaDb(server: string): boolean {
  if (basename(server) !== 'mysqld') return true
  return (
    spawnSync(server, ['--no-defaults', '--version'], { encoding: 'utf8' }).stdout?.includes('MariaDB') ??
    false
  )
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
