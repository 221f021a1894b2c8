import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { LocalAuroraError } from '../errors.ts'

/** Where the programs of a MariaDB server are. */
export interface MariaDbBinaries {
  readonly server: string
  readonly installer: string
}

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
 * Finds an installed MariaDB server.
 *
 * @param path - the folders to search before the usual ones, separated as in `PATH`
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_NO_DATABASE`, with the remedies
 */
export function findMariaDb(path = process.env.PATH ?? '', usualFolders = USUAL_FOLDERS): MariaDbBinaries {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...usualFolders]
  return {
    server: findProgram(['mariadbd', 'mysqld'], folders),
    installer: findProgram(['mariadb-install-db', 'mysql_install_db'], folders),
  }
}

function findProgram(names: readonly string[], folders: readonly string[]): string {
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  const found = candidates.find(isExecutable)
  if (found !== undefined) return found
  throw new LocalAuroraError(
    'ERR_LOCAL_AURORA_NO_DATABASE',
    `Found no ${names.join(' or ')} on PATH or in ${folders.slice(-USUAL_FOLDERS.length).join(', ')}. Install MariaDB ` +
      '(Debian, Ubuntu: apt-get install mariadb-server-core; macOS: brew install mariadb), or name a running ' +
      'database by AURORA_IAM_BACKEND=mysql://user:password@host:port/database',
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
