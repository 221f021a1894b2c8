import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { expect, test } from 'vitest'
import { startSilenceableProxy } from './support.ts'

const aurora = await localAurora()
const PROGRAM = fileURLToPath(new URL('../fixtures/exit/prisma-unresponsive.mjs', import.meta.url))

test('a client closed while the server is unresponsive: the process exits', async () => {
  await using network = await startSilenceableProxy(aurora.port)
  const { host, hostname, region, ca, credentials, port: signedPort } = aurora
  const settings = { host, port: network.port, signedPort, hostname, region, ca, credentials }
  const program = spawn(process.execPath, [PROGRAM], {
    env: { ...process.env, AURORA_SETTINGS: JSON.stringify(settings) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  program.stdout.on('data', (text) => {
    output += text
    if (text.includes('open')) {
      network.fallSilent()
      program.stdin.write('\n')
    }
  })
  const [status] = await once(program, 'exit')
  expect([status, output]).toEqual([0, 'open\nclosed\n'])
})
