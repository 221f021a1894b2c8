import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createConnection as connectMariaDb } from 'mariadb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectWith, tokenFor } from './fixtures/client.ts'

const run = promisify(execFile)
const QUERY = 'SELECT CONCAT(CURRENT_USER(), "/", DATABASE()) AS who'

let aurora: LocalAurora
let folder: string
let caFile: string

beforeAll(async () => {
  aurora = await startLocalAurora()
  folder = await mkdtemp(join(tmpdir(), 'aurora-iam-'))
  caFile = join(folder, 'ca.pem')
  await writeFile(caFile, aurora.ca)
})
afterAll(async () => {
  await aurora.close()
  await rm(folder, { recursive: true })
})

/** Runs a query with MariaDB's own command-line client, which verifies chain and host name. */
async function mariadbCli(token: string, host = 'localhost'): Promise<string> {
  const options = [
    '--no-defaults',
    '--protocol=tcp',
    `--host=${host}`,
    `--port=${aurora.port}`,
    '--user=app',
    `--ssl-ca=${caFile}`,
    '--ssl-verify-server-cert',
    '--batch',
    '--skip-column-names',
    `--execute=${QUERY}`,
    'app',
  ]
  const { stdout } = await run('mariadb', options, {
    env: { ...process.env, MYSQL_PWD: token },
    timeout: 20_000,
  })
  return stdout.trim()
}

test('the mariadb command line: logs in', async () => {
  expect(await mariadbCli(await tokenFor(aurora))).toBe('app@%/app')
})

test('the mariadb command line, rejected: it reports the bare error', async () => {
  const token = await tokenFor(aurora, { port: 3306 })
  await expect(mariadbCli(token)).rejects.toMatchObject({
    stderr: expect.stringContaining(
      "ERROR 1045 (28000): Access denied for user 'app'@'127.0.0.1' (using password: YES)",
    ),
  })
})

test('a certificate for another name: the mariadb command line leaves, and keeps its token', async () => {
  aurora.faults.set({ certificate: 'wrong-name' })
  aurora.log.clear()
  await expect(mariadbCli(await tokenFor(aurora))).rejects.toMatchObject({
    stderr: expect.stringMatching(/ERROR 2026/),
  })
  aurora.faults.clear()
  expect(aurora.log.connections).toBe(1)
  expect(aurora.log.tokensReceived).toBe(0)
})

test('the mariadb connector for Node: logs in', async () => {
  const { port, ca } = aurora
  const connection = await connectMariaDb({
    host: 'localhost',
    port,
    user: 'app',
    database: 'app',
    password: await tokenFor(aurora),
    ssl: { ca },
  })
  expect(await connection.query(QUERY)).toMatchObject([{ who: 'app@%/app' }])
  expect(await connection.execute('SELECT ? + 1 AS sum', [41])).toMatchObject([{ sum: 42n }])
  await connection.end()
})

test('mysql2 with the signer of the AWS SDK: logs in', async () => {
  const connection = await connectWith(aurora, await tokenFor(aurora))
  const [rows] = await connection.query(QUERY)
  expect(rows).toEqual([{ who: 'app@%/app' }])
  await connection.end()
})

test("a token of the AWS CLI's generate-db-auth-token: the mariadb command line logs in with it", async () => {
  const { accessKeyId, secretAccessKey, sessionToken = '' } = aurora.credentials
  const environment = {
    ...process.env,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  }
  const endpoint = [`--hostname=${aurora.hostname}`, `--port=${aurora.port}`, `--region=${aurora.region}`]
  const command = ['rds', 'generate-db-auth-token', ...endpoint, '--username=app']
  const { stdout } = await run('aws', command, { env: environment, timeout: 25_000 }).catch(
    (cause: Error) => {
      throw new Error('the AWS CLI does not run; install it, on Debian: apt-get install awscli', { cause })
    },
  )
  expect(await mariadbCli(stdout.trim())).toBe('app@%/app')
})
