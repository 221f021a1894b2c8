// Runs before npm or pnpm publishes a package, in its folder: refuses a package that lacks what users look for.
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { addressFields, publicAddress } from './release-address.mjs'

const folder = process.cwd()

function problems() {
  const found = []
  const fields = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  try {
    const expected = addressFields(publicAddress(resolve(folder, '../..')), basename(folder))
    for (const [name, value] of Object.entries(expected)) {
      if (!isDeepStrictEqual(fields[name], value))
        found.push(`package.json: ${name} is not that of the repository. Publish with \`npm run release\`.`)
    }
  } catch (error) {
    found.push(error.message)
  }
  if (!existsSync(join(folder, 'LICENSE')))
    found.push('LICENSE is missing. Copy it from the top of the repository.')
  const changelog = join(folder, 'CHANGELOG.md')
  if (!existsSync(changelog) || !readFileSync(changelog, 'utf8').includes(`\n## ${fields.version}\n`))
    found.push(`CHANGELOG.md has no entry for ${fields.version}. Run \`npx changeset version\`.`)
  if (!existsSync(join(folder, 'dist'))) found.push('dist is missing. Run `npm run build`.')
  return found
}

const found = problems()
for (const problem of found) process.stderr.write(`publish: ${basename(folder)}: ${problem}\n`)
if (found.length > 0) process.exit(1)
