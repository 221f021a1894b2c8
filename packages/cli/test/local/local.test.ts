import { existsSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
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
