import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { startSilenceableProxy } from '@aurora-iam/test-support/proxy'
import { expect, test } from 'vitest'

const aurora = await localAurora()
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/exit/${name}.mjs`, import.meta.url))

/** Runs a program that closes its connections once its server is unresponsive. Returns its status and its output. */
async function close(program: string) {
  await using network = await startSilenceableProxy(aurora.port)
  const { host, hostname, region, ca, credentials, port: signedPort } = aurora
  const settings = { host, port: network.port, signedPort, hostname, region, ca, credentials }
  const child = spawn(process.execPath, [fixture(program)], {
    env: { ...process.env, AURORA_SETTINGS: JSON.stringify(settings) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (text) => {
    output += text
    if (String(text).includes('open')) {
      network.fallSilent()
      child.stdin.write('\n')
    }
  })
  const [status] = await once(child, 'exit')
  return [status, output]
}

// mysql2 waits for the server to close the connection, which it is given 10 s for.
test.concurrent.each(['unresponsive', 'prisma-unresponsive'])(
  '%s: everything is closed while the server acknowledges and sends nothing: the process ends',
  async (program) => {
    expect(await close(program)).toEqual([0, 'open\nclosed\n'])
  },
  60_000,
)
