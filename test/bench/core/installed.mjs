import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const OURS = ['rate-limit', 'core', 'mysql2']

/** Lays out the published form of the packages, mysql2 and the programs to start in a folder. Returns the folder. */
export function installedFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const packages = join(folder, 'packages')
  execFileSync(process.execPath, [join(root, 'scripts/bundle.mjs'), '--no-types', '--out', packages, ...OURS])
  for (const name of OURS) {
    const {
      dependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'))
    for (const dependency of Object.keys({ ...dependencies, ...peerDependencies })) {
      if (peerDependenciesMeta[dependency]?.optional) continue
      const ours = OURS.find((one) => dependency === `@aurora-iam/${one}`)
      link(
        ours ? join(packages, ours) : join(root, 'packages', name, 'node_modules', dependency),
        join(packages, name),
        dependency,
      )
    }
  }
  link(join(packages, 'mysql2'), folder, '@aurora-iam/mysql2')
  link(join(root, 'test/node_modules/mysql2'), folder, 'mysql2')
  link(join(root, 'test/node_modules/@aws-sdk/rds-signer'), folder, '@aws-sdk/rds-signer')
  for (const program of ['recipe.mjs', 'ours.mjs'])
    copyFileSync(fileURLToPath(new URL(`../programs/${program}`, import.meta.url)), join(folder, program))
  return { folder, remove: () => rmSync(folder, { recursive: true }) }
}

function link(target, folder, name) {
  const path = join(folder, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}
