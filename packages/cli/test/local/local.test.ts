import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { LocalAurora } from '@aurora-iam/local'
import { expect, test, vi } from 'vitest'
import { loginLines } from '../../src/local/login-lines.ts'
import { buildProgram, runProgram, startProgram } from '../built-program.ts'

buildProgram()

test('the printed commands: they log in, the log shows it, and nothing is left behind', async () => {
  const { process: program, output, ended } = startProgram(['local'])
  await vi.waitFor(() => expect(output.out).toContain('Prisma '), 60_000)
  for (const [, name, value] of output.out.matchAll(/^export (\w+)='?(.*?)'?$/gm))
    vi.stubEnv(name as string, value)
  const [, line = ''] = /^mysql +aurora-iam (.*) mysql$/m.exec(output.out) ?? []
  const { status, out, error } = await runProgram([...line.split(' '), 'mariadb', '-N'], 'SELECT user()')
  expect({ status, out, error }).toEqual({ status: 0, out: 'app@localhost\n', error: '' })
  const [, tryIt = ''] = /^try it +aurora-iam (.*)$/m.exec(output.out) ?? []
  const doctor = await runProgram(tryIt.split(' '))
  expect({ status: doctor.status, error: doctor.error }).toEqual({ status: 0, error: '' })
  expect(doctor.out).toMatch(/login/)
  expect(output.out).toMatch(/login of/)
  program.kill('SIGTERM')
  expect(await ended).toBe(0)
  expect(existsSync(process.env.AURORA_IAM_CA as string)).toBe(false)
  vi.unstubAllEnvs()
})

test('names that a shell or JavaScript could read as more than names: each printed line has them unchanged', () => {
  const [user, database, caFile] = [
    "o'brien $(id) `id`",
    `back\\slash \${process.exit()}`,
    "/tmp/a folder/it's.pem",
  ]
  const aurora = {
    ...{ host: '127.0.0.1', port: 3307, hostname: 'local.example.com', region: 'us-east-1', database },
    credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'session' },
  }
  const lines = loginLines(aurora as unknown as LocalAurora, user, caFile).split('\n')
  const lineOf = (kind: string) => lines.find((line) => line.startsWith(`${kind} `))?.slice(10) ?? ''
  const shell = (script: string) => execFileSync('sh', ['-c', script]).toString().split('\0')
  const asFunction = 'f() { printf "%s\\0" "$@"; }'
  expect(shell(`${asFunction}; ${lineOf('try it').replace('aurora-iam', 'f')}`)).toContain(user)
  const words = shell(`${asFunction}; ${lineOf('mysql').replace('aurora-iam', 'f')}`)
  expect(words).toEqual(expect.arrayContaining([user, database]))
  const ca = lines.find((line) => line.startsWith('export AURORA_IAM_CA='))
  expect(shell(`${ca}; printf %s "$AURORA_IAM_CA"`)).toEqual([caFile])
  const itself = (options: object) => options
  const both = (options: object, { ca }: { ca: string }) => ({ ...options, ca })
  class DataSource {
    constructor(options: object) {
      Object.assign(this, options)
    }
  }
  const client = { createPool: itself, knex: itself, DataSource }
  const scope = { ...client, withAuroraIam: both, auroraIam: both, readFileSync: (path: string) => path }
  const evaluate = (code: string) =>
    new Function(...Object.keys(scope), `return ${code}`)(...Object.values(scope))
  expect(evaluate(lineOf('mysql2'))).toMatchObject({ user, database, ca: caFile })
  expect(evaluate(lineOf('Knex'))).toMatchObject({ connection: { user, database }, ca: caFile })
  expect(evaluate(lineOf('TypeORM'))).toMatchObject({ username: user, database, ca: caFile })
  expect(evaluate(lineOf('Prisma'))).toMatchObject({ user, database, ca: caFile })
})
