import { execFile, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { AuthToken } from '@aurora-iam/core'
import { pathOf } from '@aurora-iam/test-support/aws-environment'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { createConnection } from 'mysql2/promise'
import { describe, expect, test } from 'vitest'
import { watchToken } from '../../src/token/watch-token.ts'
import { buildProgram, programPath, targetOptions } from '../built-program.ts'
import { run } from '../run.ts'
import { prepareFor } from '../support.ts'

const aurora = await localAurora()
prepareFor(aurora)
buildProgram()

describe('token', () => {
  test('token: it prints a token that the database accepts', async () => {
    const { status, out, error } = await run(['token', ...targetOptions(aurora)])
    expect({ status, error }).toEqual({ status: 0, error: '' })
    const { host, port, hostname, ca } = aurora
    const connection = await createConnection({
      ...{ host, port, user: 'app', password: out.trim(), enableCleartextPlugin: true },
      ssl: { ca, servername: hostname } as object,
    })
    await connection.end()
    expect(aurora.log.logins).toHaveLength(1)
  })

  test('--json: the token and when it expires', async () => {
    const { out } = await run(['token', ...targetOptions(aurora), '--json'])
    const { token, expiresAt } = JSON.parse(out)
    expect(token).toContain(`${aurora.hostname}:${aurora.port}/?`)
    expect(new Date(expiresAt).getTime()).toBeGreaterThan(Date.now())
  })

  test('a host that cannot be signed for: exit status 2', async () => {
    expect((await run(['token', '--host', '10.0.0.1', '--user', 'app'])).status).toBe(2)
  })
})

describe('token --watch', () => {
  const output = { lines: [] as string[] }
  const watch = (getToken: () => Promise<AuthToken>, afterEach: (round: number) => Promise<boolean>) => {
    output.lines = []
    const stop = new AbortController()
    let round = 0
    return watchToken({
      path: pathOf('token'),
      getToken,
      output: { out() {}, error: (text) => output.lines.push(text) },
      signal: stop.signal,
      wait: async () => {
        round += 1
        if (!(await afterEach(round))) stop.abort()
      },
    })
  }
  const token = (value: string) => new AuthToken(value, new Date(Date.now() + 900_000))

  test('the file: it has the newest token and mode 0600, and is removed at the end', async () => {
    let issued = 0
    await watch(
      async () => {
        issued += 1
        return token(`token-${issued}`)
      },
      async (round) => {
        expect(await readFile(pathOf('token'), 'utf8')).toBe(`token-${round}`)
        expect((await stat(pathOf('token'))).mode & 0o777).toBe(0o600)
        return round < 3
      },
    )
    expect(existsSync(pathOf('token'))).toBe(false)
    expect(output.lines.join('')).not.toContain('token-')
  })

  test('a failure later on: the file keeps its token, and it is tried again', async () => {
    let issued = 0
    await watch(
      async () => {
        issued += 1
        if (issued === 2) throw new Error('no credentials now')
        return token(`token-${issued}`)
      },
      async (round) => {
        expect(await readFile(pathOf('token'), 'utf8')).toBe(round < 3 ? 'token-1' : 'token-3')
        return round < 3
      },
    )
    expect(output.lines.join('')).toContain('no credentials now Next try in 1 s.')
  })

  test('a folder that is missing: a clear error', async () => {
    const missing = await run(['token', ...targetOptions(aurora), '--watch', pathOf('none/token')])
    expect(missing).toMatchObject({ status: 1, error: expect.stringContaining('Create its folder first') })
  })

  // A disk of the test alone, in namespaces of the test alone.
  const isolated = ['--user', '--map-root-user', '--mount']
  const hasNamespaces =
    spawnSync('unshare', [...isolated, 'mount', '-t', 'tmpfs', 'none', '/mnt']).status === 0

  test.runIf(hasNamespaces)('a disk that is full: a clear error, and nothing is left', async () => {
    await mkdir(pathOf('disk'))
    const script = `mount -t tmpfs -o size=4k none "$0" && echo filled >"$0/other" && "$@"; echo status $?; ls -A "$0"`
    const command = [process.execPath, programPath, 'token', ...targetOptions(aurora)]
    const { stdout, stderr } = await promisify(execFile)('unshare', [
      ...isolated,
      ...['sh', '-c', script, pathOf('disk'), ...command, '--watch', pathOf('disk/token')],
    ])
    expect(stderr).toBe(
      `aurora-iam: ${pathOf('disk/token')} could not be written (ENOSPC). Free space on its disk.\n`,
    )
    expect(stdout).toBe('status 1\nother\n')
  })

  test('a disk that takes no more: a clear error, and nothing is left', async () => {
    const script = `trap '' XFSZ; ulimit -f 0; exec "$@"`
    const command = [
      process.execPath,
      programPath,
      'token',
      ...targetOptions(aurora),
      '--watch',
      pathOf('token'),
    ]
    const { stderr } = await promisify(execFile)('sh', ['-c', script, 'sh', ...command]).catch(
      (error) => error,
    )
    expect(stderr).toBe(`aurora-iam: ${pathOf('token')} could not be written (EFBIG).\n`)
    expect((await readdir(pathOf('.'))).filter((name) => name.startsWith('token'))).toEqual([])
  })
})

describe('explain', () => {
  const valid = async () => (await run(['token', ...targetOptions(aurora)])).out

  test('a live token: its fields, and nothing secret', async () => {
    const text = await valid()
    const { status, out } = await run(['explain'], text)
    expect(status).toBe(0)
    expect(out).toContain(`host         ${aurora.hostname}:${aurora.port}`)
    expect(out).toContain('temporary credentials')
    expect(out).toContain('well formed and live')
    const [, signature = ''] = /X-Amz-Signature=(\w+)/.exec(text) ?? []
    expect(out).not.toContain(signature)
    expect(out).not.toContain(aurora.credentials.accessKeyId)
  })

  test.each<[string, (token: string) => string, string]>([
    [
      'expired',
      (text) =>
        text.replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20200101').replace(/%2F\d{8}%2F/, '%2F20200101%2F'),
      'It expired at 2020',
    ],
    [
      'of too long a life',
      (text) => text.replace('X-Amz-Expires=900', 'X-Amz-Expires=3600'),
      'accepts at most 900',
    ],
    [
      'for another Region',
      (text) => text.replace('%2Fus-east-1%2F', '%2Feu-west-1%2F'),
      'another Region than us-east-1',
    ],
    [
      'for another service',
      (text) => text.replace('%2Frds-db%2F', '%2Fs3%2F'),
      'another service than rds-db',
    ],
    ['cut off', (text) => text.slice(0, 300), 'truncated'],
    ['a URL', (text) => `https://${text}`, 'remove the scheme'],
    ['encoded as a whole', (text) => encodeURIComponent(text.trim()), 'double-encoded'],
    ['for an address', (text) => text.replace(aurora.hostname, 'db.example.com'), 'not an RDS endpoint'],
    ['no token', () => 'hunter2', 'It is not well formed: not a token at all'],
    [
      'of a parameter without a value',
      (text) => text.trim().replace(/&.*/, '&X-Amz-Date'),
      'rejected     It is not well formed: parameter 2 is not a percent-encoded name=value pair',
    ],
  ])('a token that is %s: why the server rejects it', async (_what, change, said) => {
    const { status, out } = await run(['explain'], change(await valid()))
    expect(status).toBe(1)
    expect(out).toContain(said)
    expect(out).not.toContain('hunter2')
  })

  test('nothing on standard input: exit status 2', async () => {
    expect((await run(['explain'])).status).toBe(2)
  })

  test('--json: the explanation as JSON', async () => {
    const { out } = await run(['explain', '--json'], await valid())
    expect(JSON.parse(out)).toMatchObject({ problems: [], token: { user: 'app', region: 'us-east-1' } })
  })
})
