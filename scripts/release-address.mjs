// The public address of the repository. It stands in one place, `repository` of the top-level package.json, and every
// published package has it from there.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const read = (path) => JSON.parse(readFileSync(path, 'utf8'))

/**
 * Returns the public address of the repository in `root`, without a slash at its end.
 *
 * @throws an Error that names the setting, where it is absent or no https address
 */
export function publicAddress(root) {
  const { repository } = read(join(root, 'package.json'))
  if (typeof repository !== 'string' || !/^https:\/\/[^/]+\/[^/]+\/[^/]+$/.test(repository)) {
    throw new Error(
      `package.json: repository is ${JSON.stringify(repository)}; expected the public https address of this ` +
        'repository, such as "https://github.com/OWNER/NAME". npm links to it, and provenance is checked against it.',
    )
  }
  return repository
}

/** Returns the fields of a package that npm shows links from. */
export function addressFields(address, folder) {
  return {
    repository: { type: 'git', url: `git+${address}.git`, directory: `packages/${folder}` },
    homepage: `${address}/tree/main/packages/${folder}#readme`,
    bugs: { url: `${address}/issues` },
  }
}

/** Writes the fields into each package of the repository in `root`. Returns the names of the folders. */
export function writeAddress(root) {
  const address = publicAddress(root)
  const folders = readdirSync(join(root, 'packages'))
  for (const folder of folders) {
    const path = join(root, 'packages', folder, 'package.json')
    const fields = { ...read(path), ...addressFields(address, folder) }
    writeFileSync(path, `${JSON.stringify(fields, null, 2)}\n`)
  }
  return folders
}
