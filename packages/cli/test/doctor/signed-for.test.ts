import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { expect, test, vi } from 'vitest'
import { doctorArguments, prepareFor, run } from '../support.ts'

const GLOBAL = 'bank.global-abcdefghijkl.global.rds.amazonaws.com'
const NAMED = 'db.bank.internal'

// As behind a tunnel: what is dialled is not what must be signed.
const aurora = await localAurora({ signedPort: 3306, hostnames: [GLOBAL, NAMED] })
prepareFor(aurora)

const tunnel = `127.0.0.1:${aurora.port}`
const throughTunnel = { host: aurora.hostname, port: '3306', dial: tunnel }
const doctor = (options: Record<string, string>) => run(aurora, doctorArguments(aurora, options))

/** Returns the likely reasons for a rejected login, one string each, with their lines joined. */
function reasons(out: string): string[] {
  const [, list = ''] = out.split(/^FAIL +login .*\n.*\n/m)
  return list
    .split(/^ +\(\d\) /m)
    .slice(1)
    .map((reason) => reason.replace(/\s+/g, ' '))
}

test('the port of a tunnel is signed: it is the first reason, and its remedy works', async () => {
  const { status, out } = await doctor({})
  expect(status).toBe(1)
  const [first, second] = reasons(out)
  expect(first).toContain(`The token is signed for port ${aurora.port}`)
  expect(second).toContain('no permission to connect')
  const { port, dial } = throughTunnel
  expect(first).toContain(`--port ${port} --dial ${dial}`)
  expect(await doctor({ port, dial })).toMatchObject({ status: 0, verdicts: { login: 'ok' } })
})

test('another port is signed than that of the database: it is named, and its remedy works', async () => {
  const { status, out } = await doctor({ ...throughTunnel, port: '3307' })
  expect(status).toBe(1)
  const reason = reasons(out).find((text) => text.startsWith('The token is signed for port 3307'))
  expect(reason).toContain(`and ${tunnel} was dialled`)
  expect(reason).toContain(`--port <number> --dial ${tunnel}`)
  expect(await doctor(throughTunnel)).toMatchObject({ status: 0, verdicts: { login: 'ok' } })
})

test('a tunnel with the right port: it is not suspected', async () => {
  aurora.faults.set({ refuse: 'NotAuthorized' })
  const { out } = await doctor(throughTunnel)
  expect(reasons(out)[0]).toContain('no permission to connect')
})

test.each([
  ['--region', 'first', GLOBAL, 'eu-west-1', aurora.region],
  ['AWS_REGION', 'second, after the name', NAMED, aurora.region, 'eu-west-1'],
])(
  'a wrong Region from %s: it is the reason that comes %s',
  async (source, place, host, option, variable) => {
    vi.stubEnv('AWS_REGION', variable)
    const given: Record<string, string> = source === '--region' ? { region: option } : {}
    const { status, out } = await doctor({ ...throughTunnel, hostname: host, ...given })
    expect(status).toBe(1)
    const [region, permission] = reasons(out).slice(place === 'first' ? 0 : 1)
    expect(region).toMatch(/another Region than eu-west-1, .* --region/)
    expect(permission).toContain('no permission to connect')
    const right = { ...throughTunnel, hostname: host, region: aurora.region }
    expect(await doctor(right)).toMatchObject({ status: 0, verdicts: { login: 'ok' } })
  },
)
