import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const ADDRESS = 'https://git.example/owner/name'

describe('publishing', () => {
  let copy: string

  beforeEach(async () => {
    copy = await mkdtemp(join(tmpdir(), 'release-'))
    await cp(join(root, 'scripts'), join(copy, 'scripts'), { recursive: true })
    for (const name of await readdir(join(root, 'packages'))) {
      await mkdir(join(copy, 'packages', name, 'dist'), { recursive: true })
      for (const file of ['package.json', 'LICENSE', 'CHANGELOG.md'])
        await cp(join(root, 'packages', name, file), join(copy, 'packages', name, file))
    }
  })

  afterEach(() => rm(copy, { recursive: true }))

  const setAddress = (repository?: string) =>
    writeFile(join(copy, 'package.json'), JSON.stringify({ name: 'workspace', repository }))
  const release = () => run(process.execPath, [join(copy, 'scripts/release.mjs'), '--address-only'])
  const publishable = (name: string) =>
    run('npm', ['run', '--silent', 'prepublishOnly'], { cwd: join(copy, 'packages', name) })

  test('without a public address: the release is refused, and so is each package', async () => {
    await setAddress()
    await expect(release()).rejects.toThrow(
      'package.json: repository is undefined; expected the public https',
    )
    await expect(publishable('core')).rejects.toThrow('repository is undefined')
  })

  test.each(['git@git.example:owner/name', 'http://git.example/owner/name', 'https://git.example/owner/'])(
    'with %s for an address: the release is refused',
    async (address) => {
      await setAddress(address)
      await expect(release()).rejects.toThrow('expected the public https address')
    },
  )

  test('with a public address: each package has its links, and may be published', async () => {
    await setAddress(ADDRESS)
    await expect(publishable('wire')).rejects.toThrow('wire: package.json: repository is not that of')
    await release()
    for (const name of await readdir(join(copy, 'packages'))) {
      const fields = JSON.parse(await readFile(join(copy, 'packages', name, 'package.json'), 'utf8'))
      expect(fields).toMatchObject({
        repository: { type: 'git', url: `git+${ADDRESS}.git`, directory: `packages/${name}` },
        homepage: `${ADDRESS}/tree/main/packages/${name}#readme`,
        bugs: { url: `${ADDRESS}/issues` },
      })
    }
    await publishable('wire')
  })

  test('a package without a licence, or without an entry in its changelog: refused', async () => {
    await setAddress(ADDRESS)
    await release()
    await rm(join(copy, 'packages/core/LICENSE'))
    await writeFile(join(copy, 'packages/core/CHANGELOG.md'), '# @aurora-iam/core\n')
    const refused = await publishable('core').catch((error: { stderr: string }) => error)
    expect(refused.stderr).toContain('LICENSE is missing')
    expect(refused.stderr).toContain('CHANGELOG.md has no entry for 0.1.0')
  })
})

test('provenance: no package asks for it, because npm refuses it outside of a release workflow', async () => {
  for (const name of await readdir(join(root, 'packages'))) {
    const text = await readFile(join(root, 'packages', name, 'package.json'), 'utf8')
    const { publishConfig } = JSON.parse(text)
    expect(publishConfig).toMatchObject({ access: 'public' })
    expect(publishConfig).not.toHaveProperty('provenance')
  }
})

test('each changeset: names our packages and a bump', async () => {
  const folder = join(root, '.changeset')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.md') && file !== 'README.md')
  for (const file of files) {
    const [, head = ''] = /^---\n(.*?)\n---\n/s.exec(await readFile(join(folder, file), 'utf8')) ?? []
    const lines = head.split('\n').filter((line) => line !== '')
    expect(lines.length, file).toBeGreaterThan(0)
    for (const line of lines)
      expect(line, file).toMatch(/^['"](@aurora-iam\/)?[\w-]+['"]: (patch|minor|major)$/)
  }
})

test('docs/third-party-licences.md: has what an installation brings, each under an accepted licence', async () => {
  await run(process.execPath, [join(root, 'scripts/licences.mjs'), '--check'])
})
