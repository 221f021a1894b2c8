import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Returns the program of another major version of Node, which the folder of the peers has; this one by default. */
export function nodeProgram(major) {
  if (major === undefined || process.versions.node.startsWith(`${major}.`)) return process.execPath
  const path = fileURLToPath(new URL(`../peers/node_modules/node-${major}/bin/node`, import.meta.url))
  if (!existsSync(path)) throw new Error(`No Node ${major}: run \`npm run bench\` without --skip-install.`)
  return path
}
