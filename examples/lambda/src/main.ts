// Bundles the handler for a deployment, and calls it as Lambda does: three requests in one environment.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { startLocalAurora } from '@aurora-iam/local'
import { build } from 'esbuild'

await using aurora = await startLocalAurora()
const { host, port, database, iam } = aurora
const folder = await mkdtemp(join(tmpdir(), 'lambda-'))
const outfile = join(folder, 'handler.cjs')
try {
  // The command line of docs/lambda.md, with the handler that is built beside this file.
  await build({
    entryPoints: [fileURLToPath(new URL('handler.js', import.meta.url))],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    outfile,
  })
  // On AWS, DB_IAM is not set: the function's role is found in the environment.
  Object.assign(process.env, { DB_HOST: host, DB_PORT: `${port}`, DB_USER: 'app', DB_NAME: database })
  process.env.DB_IAM = JSON.stringify(iam)
  const { handler } = await import(pathToFileURL(outfile).href)
  for (let request = 1; request <= 3; request++) console.log(`request ${request}`, await handler())
} finally {
  await rm(folder, { recursive: true })
}
// Lambda freezes the environment here. The pool would keep this process alive.
await aurora.close()
process.exit(0)
