import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { inspect } from 'node:util'
import { createConnection } from 'mysql2/promise'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Backend, openBackend } from '../../src/database/backend.ts'
import { parseBackendUrl } from '../../src/database/backend-url.ts'
import { type MariaDb, startMariaDb } from '../../src/database/mariadb.ts'

const PASSWORD = 'p@ss/wörd:100%'
const ENCODED = encodeURIComponent(PASSWORD)

/** Returns the user and the database of a connection of the backend. */
async function whoAmI(backend: Backend, user: string) {
  const connection = await createConnection({
    stream: () => backend.connect(),
    ...backend.iamUsers.account(user),
    database: backend.database,
  })
  try {
    const [rows] = await connection.query('SELECT current_user() AS user, database() AS db')
    return (rows as unknown[])[0]
  } finally {
    await connection.end()
  }
}

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

async function listen(server: Server): Promise<string> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('no URL: a private database, with an account for each user', async () => {
  const backend = await openBackend({ database: 'app', users: ['reader', 'writer'] })
  try {
    expect(await whoAmI(backend, 'reader')).toEqual({ user: 'reader@%', db: 'app' })
    expect(await whoAmI(backend, 'writer')).toEqual({ user: 'writer@%', db: 'app' })
  } finally {
    await backend.close()
    await backend.close()
  }
})

describe('with a URL', () => {
  let database: MariaDb

  beforeAll(async () => {
    database = await startMariaDb({ database: 'theirs', users: ['them'] })
  })

  afterAll(() => database.close())

  const url = (rest: string) => `mysql://admin:${database.admin.password}@${rest}`
  const options = { database: 'theirs', users: ['reader', 'writer'] }

  test('over TCP: its account creates the users, whose sessions are their own', async () => {
    const address = await listen(
      createServer((client) => {
        const upstream = connect(database.socketPath)
        client.pipe(upstream).pipe(client)
        client.on('error', () => upstream.destroy())
      }),
    )
    const backend = await openBackend({ ...options, database: 'other', url: url(`${address}/theirs`) })
    expect(await whoAmI(backend, 'reader')).toEqual({ user: 'reader@%', db: 'theirs' })
    expect(await whoAmI(backend, 'writer')).toEqual({ user: 'writer@%', db: 'theirs' })
    await backend.close()
  })

  test('a socketPath: used before the host, and the database may come from the option', async () => {
    const socketPath = encodeURIComponent(database.socketPath)
    const backend = await openBackend({ ...options, url: url(`localhost?socketPath=${socketPath}`) })
    expect(await whoAmI(backend, 'reader')).toEqual({ user: 'reader@%', db: 'theirs' })
    await backend.close()
  })

  test('a second run: finds the users of the first', async () => {
    const rest = `localhost/theirs?socketPath=${encodeURIComponent(database.socketPath)}`
    for (let run = 0; run < 2; run += 1) {
      const backend = await openBackend({ database: 'other', users: ['lasting'], url: url(rest) })
      expect(await whoAmI(backend, 'lasting')).toEqual({ user: 'lasting@%', db: 'theirs' })
    }
  })

  test('a user who exists there with another password: refused, and left unchanged', async () => {
    const rest = `localhost/theirs?socketPath=${encodeURIComponent(database.socketPath)}`
    await expect(openBackend({ ...options, users: ['them'], url: url(rest) })).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      option: 'users',
      message: expect.stringMatching(/^users: "them" exists in the database of `backend`.*drop that user/),
    })
    const connection = await createConnection({
      socketPath: database.socketPath,
      ...database.account('them'),
    })
    await connection.end()
  })

  test('an account that may not create users: refused with the rights to give', async () => {
    const { user, password } = database.account('them')
    const rest = `${user}:${password}@localhost/theirs?socketPath=${encodeURIComponent(database.socketPath)}`
    const failure = openBackend({ database: 'theirs', users: ['missing'], url: `mysql://${rest}` })
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
      message: expect.stringMatching(/cannot create the user "missing".*CREATE USER/),
    })
  })

  test('a port without a listener: refused with the place and the remedy', async () => {
    const address = await listen(createServer())
    await new Promise((resolve) => servers.pop()?.close(resolve))
    const failure = await openBackend({ ...options, url: `mysql://u:${ENCODED}@${address}/db` }).catch(
      (e) => e,
    )
    expect(failure).toMatchObject({
      code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
      message: expect.stringMatching(
        `^backend: no MySQL server answers at ${address} .*ECONNREFUSED.*correct the URL`,
      ),
      cause: { code: 'ECONNREFUSED' },
    })
    expect(inspect(failure, { depth: null })).not.toContain(PASSWORD)
    expect(inspect(failure, { depth: null })).not.toContain(ENCODED)
  })

  test('a server that is not a MySQL server: refused', async () => {
    const address = await listen(createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    await expect(openBackend({ ...options, url: `mysql://u:p@${address}/db` })).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
      message: expect.stringContaining('does not greet as a MySQL server does'),
    })
  })

  test('a server that hangs up: refused', async () => {
    const address = await listen(createServer((socket) => socket.end()))
    await expect(openBackend({ ...options, url: `mysql://u:p@${address}/db` })).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_DATABASE_FAILED',
      message: expect.stringContaining('closed before a greeting'),
    })
  })

  test('a server that does not answer: the start can be aborted', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const address = await listen(createServer(() => controller.abort(reason)))
    await expect(
      openBackend({ ...options, url: `mysql://u:p@${address}/db`, signal: controller.signal }),
    ).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_ABORTED', cause: reason })
  })
})

describe('the URL', () => {
  test('a complete MySQL URL: each part is read, percent-encoded', () => {
    expect(parseBackendUrl(`mysql://us%40er:${ENCODED}@[::1]:3307/my%2Fdb`)).toEqual({
      socket: { host: '::1', port: 3307 },
      user: 'us@er',
      password: PASSWORD,
      database: 'my/db',
    })
  })

  test('a URL without port, password and database: accepted', () => {
    expect(parseBackendUrl('mysql://root@localhost')).toEqual({
      socket: { host: 'localhost', port: 3306 },
      user: 'root',
      password: '',
      database: undefined,
    })
  })

  test.each([
    ['no URL', 'p4ssw0rd', /not a URL/],
    ['another scheme', 'postgres://u:p4ssw0rd@h/db', /the scheme is "postgres:"/],
    ['a port out of range', 'mysql://u:p4ssw0rd@h:99999/db', /not a URL/],
    ['no user', 'mysql://:p4ssw0rd@h/db', /the user is missing/],
    ['no host', 'mysql:///db', /the user is missing/],
    ['an unknown parameter', 'mysql://u:p4ssw0rd@h/db?ssl=true', /the parameter "ssl" is unknown/],
    ['an empty socket path', 'mysql://u:p4ssw0rd@h/db?socketPath=', /socketPath is empty/],
    ["a '#' of the password", 'mysql://u@h/db#p4ssw0rd', /'#' must be written %23/],
    ["a '%' of the password", 'mysql://u:p4ssw0rd%@h/db', /the password holds a '%'.*write %25/],
  ])('a URL with %s: refused, and not repeated', (_what, url, problem) => {
    let failure: unknown
    try {
      parseBackendUrl(url)
    } catch (error) {
      failure = error
    }
    expect(failure).toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      option: 'backend',
      message: expect.stringMatching(/^backend: .*; expected mysql:\/\/user:password@host:port\/database/),
    })
    expect(String(failure)).toMatch(problem)
    expect(inspect(failure, { depth: null })).not.toContain('p4ssw0rd')
  })
})
