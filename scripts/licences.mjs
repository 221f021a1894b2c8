// Writes docs/third-party-licences.md: the licence of each package that an installation of ours brings. `--check`
// compares the page instead, and fails where it is not current.
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const page = join(root, 'docs/third-party-licences.md')

/** The SPDX identifiers that are accepted for every package. */
const ACCEPTED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']
/** Others, for one package each. */
const EXCEPTIONS = { mariadb: 'LGPL-2.1-or-later' }

const read = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** Returns the folder of the package that `name` means to a package in `folder`. */
function resolve(name, folder) {
  for (let at = folder; at !== dirname(at); at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    if (existsSync(candidate)) return realpathSync(candidate)
  }
  return undefined
}

/** Adds the packages that an installation of the package in `folder` brings to `seen`. */
function collect(folder, seen) {
  const { dependencies = {}, optionalDependencies = {} } = read(folder)
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    const found = resolve(name, folder)
    if (found === undefined || seen.has(found)) continue
    seen.add(found)
    collect(found, seen)
  }
  return seen
}

const users = new Map()
for (const name of readdirSync(join(root, 'packages'))) {
  const folder = join(root, 'packages', name)
  for (const found of collect(folder, new Set())) {
    if (found.startsWith(join(root, 'packages'))) continue
    const { name: dependency, license } = read(found)
    const accepted = EXCEPTIONS[dependency] ?? (ACCEPTED.includes(license) && license)
    if (license !== accepted) {
      process.stderr.write(`licences: ${dependency} has ${JSON.stringify(license)}, which is not accepted\n`)
      process.exit(1)
    }
    const entry = users.get(dependency) ?? { license, of: [] }
    if (!entry.of.includes(name)) entry.of.push(name)
    users.set(dependency, entry)
  }
}

const rows = [...users]
  .sort(([one], [other]) => (one < other ? -1 : 1))
  .map(([name, { license, of }]) => [`\`${name}\``, license, of.join(', ')])
const head = ['Package', 'Licence (SPDX)', 'Brought by']
const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)))
const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
const text = `# Third-party licences

Each package of this repository has the MIT licence. \`npm install\` of one of them brings these packages too. Drivers,
ORMs and store clients that you bring are not listed. \`node scripts/licences.mjs\` writes this page.

${line(head)}
| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |
${rows.map(line).join('\n')}

\`mariadb\` is the driver under \`@aurora-iam/prisma\`, and also under \`@prisma/adapter-mariadb\`.
`

if (!process.argv.includes('--check')) writeFileSync(page, text)
else if (!existsSync(page) || readFileSync(page, 'utf8') !== text) {
  process.stderr.write(
    'licences: docs/third-party-licences.md is not current; run node scripts/licences.mjs\n',
  )
  process.exit(1)
}
