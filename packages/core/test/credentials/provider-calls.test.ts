import { type ChildProcess, execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { open as openFile, readFile, rm } from 'node:fs/promises'
import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { STATIC } from '@aurora-iam/test-support/example-credentials'
import { useMovedClock } from '@aurora-iam/test-support/moved-clock'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AuroraIam, createAuroraIam } from '../../src/index.ts'

isolateAwsEnvironment()

const TARGET = {
  hostname: 'db.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
  port: 3306,
  username: 'app',
}
const TIMEOUT = { code: 'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT', option: 'credentials', retryable: true }
const open: AuroraIam[] = []

function start(options: Parameters<typeof createAuroraIam>[0] = {}): AuroraIam {
  const iam = createAuroraIam({ credentialsTimeoutMs: 50, ...options })
  open.push(iam)
  return iam
}

afterEach(() => {
  vi.useRealTimers()
  for (const iam of open.splice(0)) iam.close()
})

describe('a provider that answers no call', () => {
  test('two unanswered calls: each further call fails at once with the reason, for every AuroraIam', async () => {
    let calls = 0
    const credentials = () => {
      calls++
      return new Promise<never>(() => {})
    }
    const iam = start({ credentials })
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(await rejectionOf(iam.token(TARGET))).toMatchObject(TIMEOUT)
    }
    expect(calls).toBe(2)
    const error = await rejectionOf(start({ credentials }).token(TARGET))
    expect(error).toMatchObject(TIMEOUT)
    expect(error.message).toMatch(/has not answered 2 earlier calls, the first for 0 s/)
    expect(calls).toBe(2)
  })

  test('that answers late: it is called again', async () => {
    const answers: Array<() => void> = []
    let isBack = false
    const credentials = () =>
      isBack
        ? Promise.resolve(STATIC)
        : new Promise<typeof STATIC>((resolve) => answers.push(() => resolve(STATIC)))
    const iam = start({ credentials })
    for (let attempt = 0; attempt < 3; attempt++) await rejectionOf(iam.token(TARGET))
    isBack = true
    for (const answer of answers) answer()
    await new Promise(setImmediate)
    expect((await iam.token(TARGET)).value).toContain('AKIDEXAMPLE')
  })

  test('and never does: one call in a minute replaces the oldest', async () => {
    let calls = 0
    const credentials = () => {
      calls++
      return new Promise<never>(() => {})
    }
    const iam = start({ credentials })
    useMovedClock()
    for (let attempt = 0; attempt < 3; attempt++) await rejectionOf(iam.token(TARGET))
    vi.advanceTimersByTime(59_999)
    await rejectionOf(iam.token(TARGET))
    expect(calls).toBe(2)
    vi.advanceTimersByTime(1)
    for (let attempt = 0; attempt < 3; attempt++) await rejectionOf(iam.token(TARGET))
    expect(calls).toBe(3)
  })
})

test('a credential_process that hangs: two commands at most, and close() ends them', async () => {
  await write('never.sh', `echo $$ >>'${pathOf('pids')}'; exec sleep 60`)
  await write('config', `[profile hangs]\ncredential_process = sh ${pathOf('never.sh')}\n`)
  const iam = start({ profile: 'hangs' })
  for (let attempt = 0; attempt < 6; attempt++) await rejectionOf(iam.token(TARGET))
  expect((await rejectionOf(iam.token(TARGET))).message).toMatch(/has not answered 2 earlier calls/)
  const pids = await vi.waitFor(async () => {
    const lines = (await readFile(pathOf('pids'), 'utf8')).trim().split('\n')
    expect(lines).toHaveLength(2)
    return lines.map(Number)
  }, 10_000)
  iam.close()
  await vi.waitFor(() => {
    for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  }, 10_000)
})

test('commands that have ended, and those that no call started: close() sends them no signal', async () => {
  const ended: ChildProcess[] = []
  const credentials = async () => {
    const child = execFile('true')
    ended.push(child)
    await once(child, 'exit')
    return new Promise<never>(() => {})
  }
  const iam = start({ credentials })
  for (let attempt = 0; attempt < 2; attempt++) await rejectionOf(iam.token(TARGET))
  await vi.waitFor(() => expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0]), 10_000)
  const unrelated = execFile('sleep', ['60'])
  const kill = vi.spyOn(process, 'kill')
  iam.close()
  expect(kill).not.toHaveBeenCalled()
  kill.mockRestore()
  unrelated.kill()
})

test('many calls: the commands of each are watched once', async () => {
  // A copy of the package that has watched none yet.
  vi.resetModules()
  const copy = await import('../../src/index.ts')
  const listeners: number[] = []
  const credentials = async () => {
    const child = execFile('true')
    listeners.push(child.listenerCount('exit'))
    await once(child, 'exit')
    throw new Error('no credentials')
  }
  const iam = copy.createAuroraIam({ credentials })
  for (let attempt = 0; attempt < 3; attempt++) await rejectionOf(iam.token(TARGET))
  expect(listeners).toEqual([1, 1, 1])
})

describe('shared files on a file system that does not answer', () => {
  let create: typeof createAuroraIam

  beforeEach(async () => {
    // Reading a pipe that nothing writes to blocks a thread of libuv, as a file system that does not answer does.
    execFileSync('mkfifo', [pathOf('config')])
    // The first call would spend its time on loading it.
    await import('@aws-sdk/credential-provider-node')
    // The calls of a test before are not answered yet, perhaps.
    vi.resetModules()
    create = (await import('../../src/index.ts')).createAuroraIam
  })

  // Lets the blocked read end. What is read later is a file.
  afterEach(async () => {
    const pipe = await openFile(pathOf('config'), constants.O_RDWR | constants.O_NONBLOCK)
    await rm(pathOf('config'))
    await write('config', '')
    await pipe.close()
  })

  const startFresh = (options: Parameters<typeof createAuroraIam>[0]) => {
    const iam = create({ credentialsTimeoutMs: 250, ...options })
    open.push(iam)
    return iam
  }

  const UNREADABLE = { ...TIMEOUT, message: expect.stringMatching(/AWS shared files.*file system/) }

  test('many calls: one read, and other files can be read', async () => {
    useMovedClock()
    const iams = Array.from({ length: 4 }, (_, index) => startFresh({ profile: `p${index}` }))
    const attempt = () => Promise.all(iams.map((iam) => rejectionOf(iam.token(TARGET))))
    for (const error of await attempt()) expect(error).toMatchObject(TIMEOUT)
    vi.advanceTimersByTime(1_000)
    for (const error of await attempt()) expect(error).toMatchObject(UNREADABLE)
    await write('other', 'readable')
    expect(await readFile(pathOf('other'), 'utf8')).toBe('readable')
  })

  test('no Region but that of the files: REGION_UNKNOWN in time, and no second read', async () => {
    vi.stubEnv('AWS_REGION', undefined)
    useMovedClock()
    const iam = startFresh({ credentials: STATIC })
    const token = () => rejectionOf(iam.token({ ...TARGET, hostname: 'db.example.com' }))
    const unknown = { code: 'ERR_AURORA_IAM_REGION_UNKNOWN', option: 'region' }
    expect(await token()).toMatchObject({ ...unknown, message: expect.stringContaining('within 250 ms') })
    vi.advanceTimersByTime(1_000)
    expect(await token()).toMatchObject(UNREADABLE)
  })

  test('keys in the environment: the files are not read', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDENV')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    expect((await startFresh({ credentialsTimeoutMs: 10_000 }).token(TARGET)).value).toContain('AKIDENV')
  })

  test.each([
    [
      'a profile in the options',
      { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'secret' },
      { profile: 'one' },
    ],
    [
      'AWS_PROFILE',
      { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 'secret', AWS_PROFILE: 'two' },
      {},
    ],
    ['an access key id alone', { AWS_ACCESS_KEY_ID: 'AKIDENV' }, {}],
    ['a secret key alone', { AWS_SECRET_ACCESS_KEY: 'secret' }, {}],
  ])(
    '%s in the environment: one read is waited for, and no second one begins',
    async (_what, variables, options) => {
      for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
      useMovedClock()
      const iam = startFresh(options)
      expect(await rejectionOf(iam.token(TARGET))).toMatchObject(TIMEOUT)
      vi.advanceTimersByTime(1_000)
      expect(await rejectionOf(iam.token(TARGET))).toMatchObject(UNREADABLE)
    },
  )
})
