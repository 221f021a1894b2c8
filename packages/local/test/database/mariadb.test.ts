import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type MariaDb, startMariaDb } from '../../src/database/mariadb.ts'
import { findMariaDb } from '../../src/database/mariadb-binaries.ts'

async function query(db: MariaDb, user: string, sql: string, database?: string): Promise<RowDataPacket[]> {
  const connection = await createConnection({
    socketPath: db.socketPath,
    ...db.account(user),
    ...(database !== undefined && { database }),
  })
  try {
    const [rows] = await connection.query<RowDataPacket[]>(sql)
    return rows
  } finally {
    await connection.end()
  }
}

describe('a private MariaDB', () => {
  const DATABASE = 'my_`db`'
  const AWKWARD = `o'brien\\"ü@x`
  let db: MariaDb

  beforeAll(async () => {
    db = await startMariaDb({ database: DATABASE, users: ['app', AWKWARD] })
  })

  afterAll(() => db.close())

  test.each(['app', AWKWARD])('%s: accepted, with every right on the database', async (user) => {
    const [row] = await query(db, user, 'SELECT current_user() AS user, database() AS db', DATABASE)
    expect(row).toEqual({ user: `${user}@%`, db: DATABASE })
    await query(db, user, 'CREATE OR REPLACE TABLE t (id INT PRIMARY KEY) SELECT 1 AS id', DATABASE)
  })

  test('other databases, one of a similar name included: users have no right on them', async () => {
    const grants = await query(db, 'app', 'SHOW GRANTS')
    expect(grants.flatMap((row) => Object.values(row))).toEqual([
      expect.stringMatching(/^GRANT USAGE ON \*\.\* TO `app`@`%`/),
      'GRANT ALL PRIVILEGES ON `my\\_``db```.* TO `app`@`%`',
    ])
    await expect(query(db, 'app', 'CREATE DATABASE `myx``db```')).rejects.toMatchObject({ errno: 1044 })
  })

  test('passwords: random, and no user is without one', async () => {
    const passwords = [db.iamPassword, db.admin.password, db.internal.password]
    expect(new Set(passwords).size).toBe(3)
    for (const user of ['app', 'admin', 'rdsadmin', 'root', 'mysql', 'mariadb.sys', '', 'nobody'])
      await expect(createConnection({ socketPath: db.socketPath, user })).rejects.toMatchObject({
        errno: expect.toSatisfy((errno) => [1045, 4151].includes(errno)),
      })
  })

  test('character set and connections: as many and as Aurora MySQL has them', async () => {
    const [row] = await query(
      db,
      'app',
      'SELECT @@character_set_server AS text, @@max_connections AS connections',
    )
    expect(row).toEqual({ text: 'utf8mb4', connections: 2000 })
  })

  test('the socket: only its owner reaches it, and no network does', async () => {
    expect((await stat(dirname(db.socketPath))).mode & 0o777).toBe(0o700)
    expect(await query(db, 'app', 'SELECT @@skip_networking AS off')).toEqual([{ off: 1 }])
  })
})

test('temporary files of other databases: left alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'local-mariadb-'))
  vi.stubEnv('TMPDIR', folder)
  // A server that starts removes whatever is called so in its temporary folder.
  await writeFile(join(folder, '#sql-of-another'), '')
  const db = await startMariaDb({ database: 'app', users: ['app'] })
  expect(await readdir(folder)).toContain('#sql-of-another')
  expect(await query(db, 'app', 'SELECT @@tmpdir AS folder')).toEqual([
    { folder: expect.stringContaining(dirname(db.socketPath)) },
  ])
  await db.close()
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** Creates a folder of programs that only print that they are MariaDB's, or MySQL's. */
async function folderWith(names: readonly string[], version = 'MariaDB'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'local-programs-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const name of names)
    await writeFile(join(folder, name), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 })
  return folder
}

describe('programs that a start needs', () => {
  const ALL = ['mariadbd', 'mariadb-install-db', 'my_print_defaults']
  const failureOf = (folder: string) => {
    try {
      return findMariaDb(folder, ['/nowhere'])
    } catch (error) {
      return error
    }
  }

  test('all of them: their paths', async () => {
    const folder = await folderWith(ALL)
    expect(failureOf(folder)).toEqual({
      server: join(folder, 'mariadbd'),
      installer: join(folder, 'mariadb-install-db'),
    })
  })

  test('none of them: an error with the folders, the packages and the other way', () => {
    expect(failureOf('')).toMatchObject({
      code: 'ERR_LOCAL_AURORA_NO_DATABASE',
      message: expect.stringMatching(
        /\/nowhere.*apt-get install mariadb-server-core mariadb-client-core;.*AURORA_IAM_BACKEND=mysql:/,
      ),
    })
  })

  test.each([
    ['mariadbd', 'mariadb-server-core'],
    ['mariadb-install-db', 'mariadb-server-core'],
    ['my_print_defaults', 'mariadb-client-core'],
  ])('without %s: an error with its package alone', async (missing, packageName) => {
    const folder = await folderWith(ALL.filter((name) => name !== missing))
    expect(failureOf(folder)).toMatchObject({
      code: 'ERR_LOCAL_AURORA_NO_DATABASE',
      message: expect.stringMatching(new RegExp(`no ${missing}.*apt-get install ${packageName};`)),
    })
  })

  test("MySQL's server of the old name: not accepted, MariaDB's is", async () => {
    const names = ['mysqld', 'mysql_install_db', 'my_print_defaults']
    expect(failureOf(await folderWith(names, 'MySQL Community Server'))).toMatchObject({
      code: 'ERR_LOCAL_AURORA_NO_DATABASE',
    })
    const folder = await folderWith(names)
    expect(failureOf(folder)).toMatchObject({ server: join(folder, 'mysqld') })
  })
})

describe('TMPDIR', () => {
  const inFolder = async (name: string): Promise<string> => {
    const parent = await mkdtemp(join(tmpdir(), 'local-tmpdir-'))
    onTestFinished(() => rm(parent, { recursive: true }))
    onTestFinished(() => void vi.unstubAllEnvs())
    return join(parent, name)
  }
  const options = { database: 'app', users: ['app'] }

  test('relative, with a leading dash, blanks, quotes, a percent sign and more: works and is left empty', async () => {
    const folder = await inFolder(`-o'd "d\` 1%d $HOME;*\\ü`)
    await mkdir(folder)
    vi.spyOn(process, 'cwd').mockReturnValue(dirname(folder))
    onTestFinished(() => void vi.restoreAllMocks())
    vi.stubEnv('TMPDIR', basename(folder))
    const db = await startMariaDb(options)
    expect(dirname(dirname(db.socketPath))).toBe(folder)
    await query(db, 'app', 'SELECT 1')
    await db.close()
    expect(await readdir(folder)).toEqual([])
  })

  test('too long for a Unix socket: an error with the limit', async () => {
    const folder = await inFolder('x'.repeat(100))
    await mkdir(folder)
    vi.stubEnv('TMPDIR', folder)
    await expect(startMariaDb(options)).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      option: 'TMPDIR',
      message: expect.stringMatching(/^TMPDIR: .*the limit is \d+\. Set TMPDIR to a shorter path/),
    })
    expect(await readdir(folder)).toEqual([])
  })

  test('a folder that does not exist: an error that names it', async () => {
    const folder = await inFolder('missing')
    vi.stubEnv('TMPDIR', folder)
    await expect(startMariaDb(options)).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      option: 'TMPDIR',
      message: expect.stringContaining(`"${folder}" (ENOENT)`),
    })
  })
})
