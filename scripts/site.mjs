// Builds the site of the documentation into site/.vitepress/dist. A link that leads to no file fails the build.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const site = join(dirname(dirname(fileURLToPath(import.meta.url))), 'site')
const { status } = spawnSync(join(site, 'node_modules/.bin/vitepress'), ['build', site], { stdio: 'inherit' })
process.exit(status ?? 1)
