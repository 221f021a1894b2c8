// Packs every package as a release does, and installs the archives with npm in an empty project:
// `node install.mjs FOLDER [PACKAGE@VERSION…]`. The packages that are named are installed beside them. With ARCHIVES, a
// folder, packages that were packed there before are not packed again. With PACKAGES, names with commas between them,
// the others are left out.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const [folder, ...specifiers] = process.argv.slice(2)
const archives = process.env.ARCHIVES ?? join(folder, 'archives')
mkdirSync(archives, { recursive: true })

/** Runs a command without the options of the caller's Node, which are for its own programs. */
function run(command, args, cwd) {
  const { NODE_OPTIONS: _, ...env } = process.env
  const { status } = spawnSync(command, args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] })
  // The command has said why.
  if (status !== 0) process.exit(status ?? 1)
}

if (readdirSync(archives).length === 0) {
  run(process.execPath, [join(root, 'scripts/bundle.mjs')], root)
  const pack = ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', archives]
  run('npx', ['--yes', '--prefer-offline', packageManager, ...pack], root)
}

const nameOf = (archive) => archive.replace(/^aurora-iam-(?=[a-z])/, '@aurora-iam/').replace(/-\d.*$/, '')
const wanted = process.env.PACKAGES?.split(',')
const ours = readdirSync(archives)
  .map((archive) => [nameOf(archive), `file:${join(archives, archive)}`])
  .filter(([name]) => wanted?.includes(name) ?? true)
const theirs = specifiers.map((specifier) => {
  const at = specifier.lastIndexOf('@')
  return [specifier.slice(0, at), specifier.slice(at + 1)]
})
const project = { name: 'a-project', private: true, dependencies: Object.fromEntries([...ours, ...theirs]) }
writeFileSync(join(folder, 'package.json'), JSON.stringify(project))
run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], folder)
