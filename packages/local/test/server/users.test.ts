import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import type { Connection, ConnectionOptions, RowDataPacket } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type MariaDb, startMariaDb } from '../../src/database/mariadb.ts'
import { connectWith, tokenFor } from '../fixtures/client.ts'

let theirs: MariaDb

beforeAll(async () => {
  theirs = await startMariaDb({ database: 'app', users: ['unused'] })
})
afterAll(() => theirs.close())

/** Throws: this token must never be asked for. */
const noToken = () => expect.unreachable('the server asked for a token')

describe.each(['the private MariaDB', 'a MariaDB given by URL'])('users as on Aurora, with %s', (which) => {
  let aurora: LocalAurora
  let admin: Connection

  beforeAll(async () => {
    const { user, password } = theirs.admin
    const backend = `mysql://${user}:${password}@localhost/app?socketPath=${encodeURIComponent(theirs.socketPath)}`
    const options = which === 'the private MariaDB' ? {} : { backend }
    aurora = await startLocalAurora({ throttle: false, ...options })
    admin = await byPassword(aurora.admin)
  })
  afterAll(async () => {
    await admin.end()
    await aurora.close()
  })
  afterEach(() => aurora.log.clear())

  const byPassword = (options: ConnectionOptions) =>
    connectWith(aurora, noToken, { database: '', ...options })
  const byIam = async (username: string, options: ConnectionOptions = {}) =>
    connectWith(aurora, await tokenFor(aurora, { username }), { user: username, database: '', ...options })
  const whoAmI = async (connection: Connection) => {
    const [[row]] = await connection.query<RowDataPacket[]>('SELECT CURRENT_USER() AS user')
    await connection.end()
    return row?.user
  }
  const denied = (user: string, password: 'YES' | 'NO') => ({
    errno: 1045,
    sqlState: '28000',
    message: `Access denied for user '${user}'@'127.0.0.1' (using password: ${password})`,
  })

  test('CREATE USER with the plugin, GRANT, DROP: the user logs in with IAM, has its rights, and is gone', async () => {
    await admin.query("CREATE USER 'made'@'%' IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL")
    await admin.query('CREATE TABLE app.seen (id INT)')
    await admin.query("GRANT SELECT ON app.seen TO 'made'@'%'")
    const made = await byIam('made', { database: 'app' })
    expect((await made.query('SELECT * FROM seen'))[0]).toEqual([])
    await expect(made.query('INSERT INTO seen VALUES (1)')).rejects.toMatchObject({ errno: 1142 })
    expect(await whoAmI(made)).toBe('made@%')
    await admin.query("DROP USER 'made'@'%'")
    await admin.query('DROP TABLE app.seen')
    await expect(byPassword({ user: 'made' })).rejects.toMatchObject(denied('made', 'NO'))
  })

  test('ALTER USER to a password and back to the plugin: holds from the next login on', async () => {
    await admin.execute('CREATE USER `changed` IDENTIFIED WITH "AWSAuthenticationPlugin" AS \'RDS\'')
    expect(await whoAmI(await byIam('changed'))).toBe('changed@%')
    await admin.query("ALTER USER changed IDENTIFIED BY 'secret'")
    expect(await whoAmI(await byPassword({ user: 'changed', password: 'secret' }))).toBe('changed@%')
    await admin.query("alter user changed identified with awsauthenticationplugin as 'RDS'")
    expect(await whoAmI(await byIam('changed'))).toBe('changed@%')
    await admin.query('DROP USER changed')
  })

  test.each([
    ['BY', 'the default plugin'],
    ['WITH mysql_native_password BY', 'mysql_native_password'],
    ['WITH caching_sha2_password BY', 'caching_sha2_password'],
  ])('IDENTIFIED %s: logs in with its password, without IAM', async (clause) => {
    const user = 'päss'
    await admin.query(`CREATE USER '${user}'@'%' IDENTIFIED ${clause} 'it''s "sécret"'`)
    const password = 'it\'s "sécret"'
    expect(await whoAmI(await byPassword({ user, password }))).toBe(`${user}@%`)
    expect([...aurora.log]).toContainEqual(
      expect.objectContaining({ type: 'password-login', user, during: 'login' }),
    )
    await expect(byPassword({ user, password: 'wrong' })).rejects.toMatchObject(denied(user, 'YES'))
    await expect(byPassword({ user, password: '' })).rejects.toMatchObject(denied(user, 'NO'))
    expect(aurora.log.refusals.map(({ reason }) => reason)).toEqual(['AccessDenied', 'AccessDenied'])
    expect(aurora.log.tokensReceived).toBe(0)
    await admin.query(`DROP USER '${user}'`)
  })

  test.each(['ghost', 'APP', 'root', 'rdsadmin', ''])(
    'the unknown user "%s": 1045, and no token is requested',
    async (user) => {
      await expect(byPassword({ user, password: 'x' })).rejects.toMatchObject(denied(user, 'YES'))
      await expect(byPassword({ user })).rejects.toMatchObject(denied(user, 'NO'))
      expect(aurora.log.tokensReceived).toBe(0)
    },
  )

  test('COM_CHANGE_USER: from IAM to a password and back', async () => {
    await admin.query("CREATE USER plain IDENTIFIED BY 'secret'")
    const connection = await byIam('app')
    await connection.changeUser({ user: 'plain', password: 'secret' })
    expect((await connection.query('SELECT CURRENT_USER() AS user'))[0]).toEqual([{ user: 'plain@%' }])
    await connection.changeUser({ user: 'app' })
    expect(await whoAmI(connection)).toBe('app@%')
    expect([...aurora.log].map(({ type }) => type)).toEqual(
      expect.arrayContaining(['login', 'password-login', 'change-user']),
    )
    await admin.query('DROP USER plain')
  })

  test('text that looks like such a statement: passes unchanged', async () => {
    const text = "CREATE USER x IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS'"
    const [rows] = await admin.query('SELECT ? AS text /* IDENTIFIED WITH AWSAuthenticationPlugin */', [text])
    expect(rows).toEqual([{ text }])
  })
})
