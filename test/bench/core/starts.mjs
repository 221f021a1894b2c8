import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { credentialsEnvironment } from '@aurora-iam/test-support/cli-program'
import { bundle } from './bundle.mjs'
import { installedFolder } from './installed.mjs'
import { startProductionServer } from './production-server.mjs'

// As in production: the recipe reads the file with all certificate authorities of AWS, which their documentation asks
// for, and aurora-iam has those of the Region. With one CA: the certificate authority of the server is given to both.
// With a profile: the credentials are in a file, and both use the credential chain of the AWS SDK. Else the credentials
// are in the environment, as in AWS Lambda.
// https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.SSL.html
const FORMS = [
  { form: 'AWS CAs', authorities: ({ caFile }) => ({ caFile }) },
  { form: 'AWS CAs, profile', authorities: ({ caFile }) => ({ caFile }), hasProfile: true },
  { form: 'one CA', authorities: ({ ca }) => ({ ca }) },
]

// What counts instructions makes a program 50 times slower.
const CONNECT_TIMEOUT_MS = 300_000

// Certificates that a program has to reject, and the errors.
const REJECTED = [
  ['another root', 'unable to verify the first certificate'],
  ['another name', "does not match certificate's altnames"],
]

/**
 * Installs and bundles the programs whose start is measured, and starts their server. Each program is seen to reject
 * certificates that it must not accept.
 *
 * @returns programs as `{ name, path, env, floor }`, where `floor` names the recipe that a program is compared with;
 * the bytes of the bundles; and how to `close` all of it
 */
export async function prepareStarts() {
  const {
    settings,
    root,
    show,
    close: closeServer,
  } = await startProductionServer({ connectTimeoutMs: CONNECT_TIMEOUT_MS })
  const { folder, caFile, remove } = installedFolder(root)
  const close = async () => {
    await closeServer()
    remove()
  }
  try {
    const bundles = { recipe: await bundle(folder, 'recipe'), ours: await bundle(folder, 'ours') }
    writeProfile(folder, settings.iam.credentials)
    const programs = FORMS.flatMap(({ form, authorities, hasProfile }) => {
      const place = { ...settings, ca: undefined, ...authorities({ ...settings, caFile }) }
      const env = environment(folder, place, hasProfile)
      const group = (suffix, path) => [
        { name: `recipe${suffix}`, path: path.recipe, env },
        { name: `aurora-iam${suffix}`, path: path.ours, env, floor: `recipe${suffix}` },
      ]
      return [
        ...group(`, ${form}`, { recipe: join(folder, 'recipe.mjs'), ours: join(folder, 'ours.mjs') }),
        ...group(`, ${form}, bundled`, { recipe: bundles.recipe.outfile, ours: bundles.ours.outfile }),
      ]
    })
    for (const [certificate, error] of REJECTED) {
      show(certificate)
      for (const program of programs) await assertRejects(program, certificate, error)
    }
    show('valid')
    return { programs, bytes: { recipe: bundles.recipe.bytes, ours: bundles.ours.bytes }, close }
  } catch (error) {
    await close()
    throw error
  }
}

function environment(folder, { iam, ...place }, hasProfile) {
  return {
    PATH: process.env.PATH,
    HOME: folder,
    ...(hasProfile ? undefined : credentialsEnvironment(iam.credentials)),
    PLACE: JSON.stringify({ ...place, region: iam.region, connectTimeout: CONNECT_TIMEOUT_MS }),
  }
}

/** Writes the AWS shared files of the home folder `folder`. */
function writeProfile(folder, { accessKeyId, secretAccessKey, sessionToken }) {
  mkdirSync(join(folder, '.aws'))
  const lines = [
    '[default]',
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    ...(sessionToken ? [`aws_session_token = ${sessionToken}`] : []),
  ]
  writeFileSync(join(folder, '.aws/credentials'), `${lines.join('\n')}\n`)
}

async function assertRejects({ name, path, env }, certificate, error) {
  const child = spawn(process.execPath, [path], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const [report] = await Promise.all([text(child.stderr), once(child, 'exit')])
  if (child.exitCode === 1 && report.includes(error)) return
  throw new Error(`${name}: expected ${error} for a certificate of ${certificate}, got: ${report}`)
}
