import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildProgram,
  credentialsEnvironment,
  programPath,
  targetOptions,
} from '@aurora-iam/test-support/cli-program'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { type Connection, createConnection } from 'mysql2/promise'
import { beforeAll, expect, onTestFinished, test } from 'vitest'

const aurora = await localAurora({ throttle: false })
beforeAll(buildProgram)

/** Starts `aurora-iam proxy` as a program. */
async function startProxy() {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'))
  await writeFile(join(folder, 'ca.pem'), aurora.ca)
  const target = targetOptions(aurora, join(folder, 'ca.pem'))
  const limits = ['--limit', '100000', '--max-connections', '2000']
  const options = [...target, ...limits, '--listen', '127.0.0.1:0', '--json']
  const proxy = spawn(process.execPath, [programPath, 'proxy', ...options], {
    env: { ...process.env, ...credentialsEnvironment(aurora.credentials), AWS_REGION: aurora.region },
  })
  onTestFinished(async () => {
    proxy.kill('SIGKILL')
    await rm(folder, { recursive: true })
  })
  const [line] = await once(proxy.stdout, 'data')
  const { address, password } = JSON.parse(String(line).split('\n')[0] as string)
  proxy.stdout.resume()
  proxy.stderr.resume()
  const login = {
    host: '127.0.0.1',
    port: Number(address.split(':')[1]),
    user: 'app',
    password,
    database: 'app',
  }
  return { pid: proxy.pid as number, login: { ...login, connectTimeout: 120_000 } }
}

/** Returns the resident memory of a process, in MB. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

test('a thousand clients at once: each gets a separate session', async () => {
  const { login } = await startProxy()
  const connections = await Promise.all(Array.from({ length: 1000 }, () => createConnection(login)))
  const ids = await Promise.all(
    connections.map(async (connection) => {
      const [rows] = (await connection.query('SELECT CONNECTION_ID() AS id')) as unknown as [[{ id: number }]]
      return rows[0].id
    }),
  )
  expect(new Set(ids).size).toBe(1000)
  expect(aurora.log.refusals).toEqual([])
  for (const connection of connections) connection.destroy()
}, 300_000)

test('two gigabytes of large results and a client that does not keep up: the memory is flat', async () => {
  const { pid, login } = await startProxy()
  const connection = await createConnection(login)
  const round = async (pauseMs: number) => {
    for (let i = 0; i < 4; i += 1) await drain(connection, pauseMs)
  }
  await round(0)
  const before = await memoryOf(pid)
  for (let i = 0; i < 9; i += 1) await round(i % 3 === 0 ? 200 : 0)
  const after = await memoryOf(pid)
  expect(after - before, `${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`).toBeLessThan(32)
  connection.destroy()
}, 600_000)

/** Reads a result of 48 MB without keeping it; the client stops reading for a while in the middle of it. */
function drain(connection: Connection, pauseMs: number): Promise<void> {
  const { connection: plain } = connection as unknown as { connection: import('mysql2').Connection }
  return new Promise((resolve, reject) => {
    let rows = 0
    plain
      .query('SELECT REPEAT(CHAR(97 + seq % 26), 60000) AS x FROM seq_1_to_800')
      .on('result', () => {
        rows += 1
        if (rows !== 400 || pauseMs === 0) return
        plain.pause()
        setTimeout(() => plain.resume(), pauseMs)
      })
      .on('error', reject)
      .on('end', () => resolve())
  })
}
