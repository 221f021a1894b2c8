import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { until, untilDone } from '@aurora-iam/test-support/until'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { buildProgram, clockOf, runProgram, startProgram, targetOptions } from '../built-program.ts'
import { run } from '../run.ts'
import { prepareFor } from '../support.ts'

const aurora = await localAurora()
prepareFor(aurora)
buildProgram()

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const options = () => ['exec', ...targetOptions(aurora), '--database', 'app']
const exec = (command: readonly string[], input = '', more: readonly string[] = []) =>
  runProgram([...options(), ...more, '--', ...command], input)

// A temporary folder of the test alone.
beforeEach(async () => {
  await mkdir(pathOf('tmp'))
  vi.stubEnv('TMPDIR', pathOf('tmp'))
})

test('TMPDIR is relative: the command gets the absolute path of its socket', async () => {
  vi.stubEnv('TMPDIR', relative(process.cwd(), pathOf('tmp')))
  const { out } = await exec(['sh', '-c', 'echo "$MYSQL_UNIX_PORT"'])
  expect(out.trim()).toMatch(/^\//)
})

test('TMPDIR is no folder: one clear line', async () => {
  vi.stubEnv('TMPDIR', pathOf('absent'))
  const { status, error } = await exec(['true'])
  expect(status).toBe(2)
  expect(error).toMatch(
    /^aurora-iam: TMPDIR: cannot create a folder in ".*absent" \(ENOENT\)\. Set TMPDIR.*\n$/,
  )
})

test('Windows: one clear line that names what works there', async () => {
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor
  onTestFinished(() => void Object.defineProperty(process, 'platform', platform))
  Object.defineProperty(process, 'platform', { ...platform, value: 'win32' })
  const { status, error } = await run([...options(), '--', 'true'])
  expect({ status, error }).toEqual({
    status: 2,
    error:
      'aurora-iam: exec does not run on Windows: it could not end the command with itself. ' +
      'Use aurora-iam proxy and give its address to the command, or run exec in WSL.\n',
  })
})

describe('foreign programs log in with what they read from the environment', () => {
  test('mariadb: host, user, password and database', async () => {
    const { status, out, error } = await exec(['mariadb', '-N'], 'SELECT user(), database()')
    expect({ status, out, error }).toEqual({ status: 0, out: 'app@localhost\tapp\n', error: '' })
  })

  test('mariadb with --protocol=socket, with mysql_native_password and with --compress: it logs in', async () => {
    for (const option of ['--protocol=socket', '--default-auth=mysql_native_password', '--compress']) {
      expect(await exec(['mariadb', '-N', option, '-e', 'SELECT 1'])).toMatchObject({ status: 0, out: '1\n' })
    }
  })

  test('PyMySQL: it logs in', async () => {
    const { status, out, error } = await exec(['/usr/bin/python3', fixture('query.py')])
    expect({ status, out, error }).toEqual({ status: 0, out: 'app@localhost ünï\n', error: '' })
  })

  test('PHP: mysqli with change_user, and PDO over the Unix socket', async () => {
    const { status, out, error } = await exec(['php', fixture('query.php')])
    expect({ status, out, error }).toEqual({ status: 0, out: 'app@localhost\n42\n', error: '' })
  })

  test('mariadb-dump and a restore: the dump of the copy is byte-identical', async () => {
    const fill = `DROP TABLE IF EXISTS dumped; CREATE TABLE dumped (id INT PRIMARY KEY, bytes BLOB);
      INSERT INTO dumped SELECT seq, RANDOM_BYTES(1000) FROM seq_1_to_2000;`
    expect(await exec(['mariadb'], fill)).toMatchObject({ status: 0, error: '' })
    const dump = ['mariadb-dump', '--hex-blob', '--skip-dump-date', 'app', 'dumped']
    const first = await exec(dump)
    expect(first).toMatchObject({ status: 0, error: '' })
    expect(first.out.length).toBeGreaterThan(4_000_000)
    expect(await exec(['mariadb'], `DROP TABLE dumped; ${first.out}`)).toMatchObject({ status: 0, error: '' })
    const hash = (text: string) => createHash('sha256').update(text).digest('hex')
    expect(hash((await exec(dump)).out)).toBe(hash(first.out))
  })

  test('a child that outlives several token lives: each of its logins has a live token', async () => {
    const script = `while [ ! -e "${pathOf('stop')}" ]; do
      if [ -e "${pathOf('go')}" ]; then rm "${pathOf('go')}"; mariadb -N -e 'SELECT 1'; fi; sleep 0.05; done`
    await write('clock', '0')
    const clock = { nodeOptions: clockOf(pathOf('clock')) }
    const { output, ended } = startProgram([...options(), '--', 'sh', '-c', script], clock)
    for (let lives = 0; lives < 3; lives += 1) {
      const aheadMs = lives * 20 * 60_000
      await write('clock', String(aheadMs))
      aurora.setClock(() => Date.now() + aheadMs)
      await write('go', '')
      await untilDone(() => expect(output.out).toBe('1\n'.repeat(lives + 1)))
    }
    await write('stop', '')
    expect(await ended).toBe(0)
    expect(aurora.log.fingerprints).toHaveLength(3)
    expect(aurora.log.refusals).toEqual([])
  })
})

describe('templates', () => {
  test('--env: it sets more variables', async () => {
    const more = ['--env', 'FLYWAY_URL=jdbc:mysql://{host}:{port}/{database}', '--env', 'FLYWAY_USER={user}']
    const { out } = await exec(['sh', '-c', 'echo $FLYWAY_URL $FLYWAY_USER'], '', more)
    expect(out).toMatch(/^jdbc:mysql:\/\/127\.0\.0\.1:\d+\/app app\n$/)
  })

  test.each([
    ['NAME', 'expected NAME=TEMPLATE'],
    ['NAME={secret}', '{secret} is not known'],
  ])('--env %s: exit status 2 before anything starts', async (template, said) => {
    const { status, error } = await exec(['true'], '', ['--env', template])
    expect(status).toBe(2)
    expect(error).toContain(said)
  })
})

describe('exit statuses and signals', () => {
  test.each([
    [['sh', '-c', 'exit 3'], 3],
    [['sh', '-c', 'kill -9 $$'], 137],
    [['no-such-command-here'], 127],
    [['/'], 126],
  ])('%j: exit status %i', async (command, status) => {
    expect((await exec(command)).status).toBe(status)
    expect(await readdir(pathOf('tmp'))).toEqual([])
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s: it is forwarded, and the command decides about its end',
    async (signal) => {
      const script = `trap 'echo trapped; exit 7' ${signal.slice(3)}; echo ready; while :; do sleep 0.05; done`
      const { process: program, output, ended } = startProgram([...options(), '--', 'sh', '-c', script])
      await untilDone(() => expect(output.out).toBe('ready\n'))
      program.kill(signal)
      expect(await ended).toBe(7)
      expect(output.out).toBe('ready\ntrapped\n')
    },
  )

  test('exec is killed: the command gets SIGTERM, and nothing is left', async () => {
    const script = `trap 'echo ended >"$0"; exit' TERM; sleep 0.3; echo $$; while :; do sleep 0.05; done`
    const { process: program, output } = startProgram([
      ...options(),
      '--',
      'sh',
      '-c',
      script,
      pathOf('ended'),
    ])
    const pid = await until(() => Number(output.out))
    program.kill('SIGKILL')
    await untilDone(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
    expect(existsSync(pathOf('ended'))).toBe(true)
    await untilDone(async () => expect(await readdir(pathOf('tmp'))).toEqual([]))
  })

  test('exec ends: its guard has ended too', async () => {
    const { out } = await exec(['sh', '-c', 'ps -eo pid,args | grep "[a]urora-iam-guard"'])
    const [pid] = out
      .split('\n')
      .flatMap((line) => (line.includes(pathOf('tmp')) ? [Number.parseInt(line, 10)] : []))
    expect(pid).toBeGreaterThan(0)
    expect(() => process.kill(pid as number, 0)).toThrow('ESRCH')
  })

  test('nothing is left: no socket file, and the port is closed; no argument holds the password', async () => {
    const script = 'echo "$MYSQL_UNIX_PORT $MYSQL_PWD"; ls -l "$MYSQL_UNIX_PORT"; ps -eo args'
    const { out } = await exec(['sh', '-c', script])
    const [first = '', mode = '', ...processes] = out.split('\n')
    const [socket = '', password = ''] = first.split(' ')
    expect(mode).toMatch(/^srw-------/)
    expect(existsSync(socket)).toBe(false)
    expect(password).toMatch(/^p[\w-]{32}$/)
    expect(processes.join('\n')).toContain('aurora-iam.js exec')
    expect(processes.join('\n')).not.toContain(password)
  })
})

test('the database rejects the login: the client shows the error of the server', async () => {
  aurora.faults.set({ refuse: 'NotAuthorized' })
  const { status, error } = await exec(['mariadb', '-e', 'SELECT 1'])
  expect(status).toBe(1)
  expect(error).toMatch(/^ERROR 1045 \(28000\): Access denied for user 'app'/)
})

test('a password in DATABASE_URL: neither used nor shown', async () => {
  vi.stubEnv('DATABASE_URL', `mysql://app:hunter2@${aurora.hostname}:${aurora.port}/app`)
  const args = ['exec', '--dial', `${aurora.host}:${aurora.port}`, '--ca', pathOf('ca.pem')]
  const { status, out, error } = await runProgram([
    ...args,
    '--',
    'sh',
    '-c',
    'echo $DATABASE_URL; mariadb -e "SELECT 1"',
  ])
  expect({ status, error }).toEqual({ status: 0, error: '' })
  expect(out).not.toContain('hunter2')
})
