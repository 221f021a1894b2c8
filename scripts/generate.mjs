// Generates the Prisma clients that the tests and an example are type-checked and run with. They are not in the
// repository. Does nothing where they are newer than their schema and the installed packages.
import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const CLIENTS = [
  { workspace: 'test', schema: 'test/prisma/schema.prisma', output: 'test/prisma/generated/cjs/index.js' },
  {
    workspace: 'examples/prisma',
    schema: 'examples/prisma/prisma/schema.prisma',
    output: 'examples/prisma/src/generated/client.ts',
  },
]

const changedAt = (path) => statSync(join(root, path)).mtimeMs

function isCurrent({ schema, output }) {
  if (!existsSync(join(root, output))) return false
  const madeAt = changedAt(output)
  return madeAt > changedAt(schema) && madeAt > changedAt('node_modules/.pnpm/lock.yaml')
}

for (const client of CLIENTS) {
  if (isCurrent(client)) continue
  const { workspace, schema } = client
  process.stdout.write(`generate: the Prisma client of ${schema}\n`)
  const { status, stdout, stderr, error } = spawnSync(
    join(root, workspace, 'node_modules/.bin/prisma'),
    ['generate', '--no-hints', '--schema', join(root, schema)],
    {
      cwd: join(root, workspace),
      encoding: 'utf8',
      // Prisma insists on having its engine for migrations, would download it, and never starts it here: any file will
      // do.
      env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' },
    },
  )
  if (status === 0) continue
  process.stderr.write(`${stdout ?? ''}${stderr ?? error}\ngenerate: prisma generate failed for ${schema}\n`)
  process.exit(status ?? 1)
}
