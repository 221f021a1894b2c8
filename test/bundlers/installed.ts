import { cp, mkdir, readFile, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publish } from '@aurora-iam/test-support/published'

const packages = fileURLToPath(new URL('../../packages', import.meta.url))
const OURS = ['rate-limit', 'core', 'mysql2']

/** Layout of `node_modules`: npm's has a package in its place, pnpm's a link to a folder of package and version. */
export type Layout = 'npm' | 'pnpm'

/**
 * Lays out `folder` as an installation of `@aurora-iam/mysql2` does: each package sees what it depends on, and neither
 * its development dependencies nor an optional one. In the repository a bundler would find those too.
 */
export async function install(folder: string, layout: Layout = 'pnpm'): Promise<void> {
  const published = join(folder, 'published')
  await publish(published, OURS)
  for (const name of OURS) {
    const from = join(packages, name)
    const text = await readFile(join(from, 'package.json'), 'utf8')
    const { version, dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(text)
    const seen = [...Object.keys(dependencies), ...Object.keys(peerDependencies)]
    const store = join(folder, `node_modules/.pnpm/@aurora-iam+${name}@${version}`)
    const at = layout === 'npm' ? folder : store
    const to = join(at, `node_modules/@aurora-iam/${name}`)
    await mkdir(to, { recursive: true })
    for (const file of ['package.json', 'dist'])
      await cp(join(published, name, file), join(to, file), { recursive: true })
    for (const dependency of seen.filter((one) => !peerDependenciesMeta[one]?.optional)) {
      const ours = dependency.startsWith('@aurora-iam/')
      if (!ours) await link(join(from, 'node_modules', dependency), layout === 'npm' ? to : store, dependency)
      else if (layout === 'pnpm') await link(join(folder, 'node_modules', dependency), store, dependency)
    }
    if (layout === 'pnpm') await link(to, folder, `@aurora-iam/${name}`)
  }
  await link(join(packages, 'mysql2/node_modules/mysql2'), folder, 'mysql2')
  await rm(published, { recursive: true })
}

/** Makes `name` in `node_modules` of the folder a link to `target`. */
export async function link(target: string, folder: string, name: string): Promise<void> {
  const path = join(folder, 'node_modules', name)
  await mkdir(dirname(path), { recursive: true })
  await symlink(target, path)
}
