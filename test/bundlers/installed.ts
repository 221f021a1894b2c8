import { cp, mkdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../packages', import.meta.url))
const OURS = ['rate-limit', 'core', 'mysql2']

/**
 * Lays out `folder` as an installation of `@aurora-iam/mysql2` does: each package sees what it depends on, and neither
 * its development dependencies nor an optional one. In the repository a bundler would find those too.
 */
export async function install(folder: string): Promise<void> {
  for (const name of OURS) {
    const [from, to] = [join(packages, name), join(folder, 'packages', name)]
    const text = await readFile(join(from, 'package.json'), 'utf8')
    const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(text)
    const seen = [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
    await mkdir(to, { recursive: true })
    for (const file of ['package.json', 'dist'])
      await cp(join(from, file), join(to, file), { recursive: true })
    for (const dependency of seen.filter((one) => !peerDependenciesMeta[one]?.optional)) {
      const ours = OURS.find((one) => dependency === `@aurora-iam/${one}`)
      await link(
        ours ? join(folder, 'packages', ours) : join(from, 'node_modules', dependency),
        to,
        dependency,
      )
    }
  }
  await link(join(folder, 'packages/mysql2'), folder, '@aurora-iam/mysql2')
  await link(join(packages, 'mysql2/node_modules/mysql2'), folder, 'mysql2')
}

async function link(target: string, folder: string, name: string): Promise<void> {
  const path = join(folder, 'node_modules', name)
  await mkdir(dirname(path), { recursive: true })
  await symlink(target, path)
}
