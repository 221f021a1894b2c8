import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EndpointKind, isRegion, parseRdsHostname } from '../../src/endpoint/rds-hostname.ts'

// The shapes of https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/Aurora.Overview.Endpoints.html
const FRONTS: ReadonlyArray<readonly [kind: EndpointKind, front: string]> = [
  ['cluster', 'mydb.cluster-abcdefghijkl'],
  ['cluster-ro', 'mydb.cluster-ro-abcdefghijkl'],
  ['cluster-custom', 'reports.cluster-custom-abcdefghijkl'],
  ['instance', 'mydb-instance-1.abcdefghijkl'],
  ['proxy', 'myproxy.proxy-abcdefghijkl'],
  ['proxy-endpoint', 'readonly.endpoint.proxy-abcdefghijkl'],
  ['cluster', 'mydb-green-a1b2c3.cluster-abcdefghijkl'],
  ['instance', 'mydb-instance-1-green-a1b2c3.abcdefghijkl'],
  ['cluster', 'mydb-old1.cluster-abcdefghijkl'],
  ['instance', 'mydb-old1.abcdefghijkl'],
]

const PARTITIONS: ReadonlyArray<readonly [partition: string, region: string, back: string]> = [
  ['commercial', 'eu-west-1', 'eu-west-1.rds.amazonaws.com'],
  ['commercial, young Regions', 'ap-southeast-7', 'ap-southeast-7.rds.amazonaws.com'],
  ['commercial, Mexico', 'mx-central-1', 'mx-central-1.rds.amazonaws.com'],
  ['a Region not yet born', 'xx-northsouth-12', 'xx-northsouth-12.rds.amazonaws.com'],
  ['commercial, FIPS', 'us-east-2', 'us-east-2.rds-fips.amazonaws.com'],
  ['China', 'cn-north-1', 'rds.cn-north-1.amazonaws.com.cn'],
  ['China, old names', 'cn-northwest-1', 'cn-northwest-1.rds.amazonaws.com.cn'],
  ['GovCloud', 'us-gov-west-1', 'us-gov-west-1.rds.amazonaws.com'],
  ['ISO', 'us-iso-east-1', 'rds.us-iso-east-1.c2s.ic.gov'],
  ['ISO-B', 'us-isob-east-1', 'rds.us-isob-east-1.sc2s.sgov.gov'],
  ['ISO-E', 'eu-isoe-west-1', 'rds.eu-isoe-west-1.cloud.adc-e.uk'],
  ['ISO-F', 'us-isof-south-1', 'rds.us-isof-south-1.csp.hci.ic.gov'],
  ['EU sovereign', 'eusc-de-east-1', 'eusc-de-east-1.rds.amazonaws.eu'],
]

describe.each(PARTITIONS)('%s', (_partition, region, back) => {
  test.each(FRONTS)('%s: kind and Region are read from %s', (kind, front) => {
    const hostname = `${front}.${back}`
    expect(parseRdsHostname(hostname)).toEqual({ hostname, kind, region })
  })

  test('upper case and a trailing dot: the same name', () => {
    const hostname = `mydb.cluster-abcdefghijkl.${back}`
    expect(parseRdsHostname(`${hostname.toUpperCase()}.`)).toEqual({ hostname, kind: 'cluster', region })
  })
})

test('the global writer endpoint: recognised, without a Region', () => {
  const hostname = 'mydb.global-abcdefghijkl.global.rds.amazonaws.com'
  expect(parseRdsHostname(hostname)).toEqual({ hostname, kind: 'global-writer', region: undefined })
})

test('an RDS name of an unknown shape: an RDS name all the same', () => {
  expect(parseRdsHostname('prod-instance.us-east-1.rds.amazonaws.com')?.kind).toBe('other')
  expect(parseRdsHostname('a.b.c.us-east-1.rds.amazonaws.com')?.kind).toBe('other')
  expect(parseRdsHostname('a.proxy.proxy-b.us-east-1.rds.amazonaws.com')?.kind).toBe('other')
  expect(parseRdsHostname('a.endpoint.cluster-b.us-east-1.rds.amazonaws.com')?.kind).toBe('other')
  expect(parseRdsHostname('a.endpoint.b.proxy-c.us-east-1.rds.amazonaws.com')?.kind).toBe('other')
  expect(parseRdsHostname('a.rds.cn-north-1.amazonaws.com.cn')?.kind).toBe('other')
})

test.each([
  ['an IPv4 address', '10.0.0.1'],
  ['an IPv6 address', 'fd00:ec2::254'],
  ['an IPv6 address in brackets', '[::1]'],
  ['this machine', 'localhost'],
  ['nothing', ''],
  ['a dot', '.'],
  ['a CNAME', 'db.example.com'],
  ['a CNAME that sounds like RDS', 'mydb.rds.example.com'],
  ['the RDS API', 'rds.us-east-1.amazonaws.com'],
  ['a load balancer', 'x-1234.elb.us-east-1.amazonaws.com'],
  ['another suffix after the right one', 'x.cluster-a.us-east-1.rds.amazonaws.com.evil.com'],
  ['the right suffix as a part of another', 'x.cluster-a.us-east-1.rds.notamazonaws.com'],
  ['the right suffix glued to another', 'x.cluster-a.us-east-1.rds.amazonaws.comevil.com'],
  ['a domain like a partition', 'x.cluster-a.us-east-1.rds.amazonaws.co'],
  ['China behind another domain', 'x.cluster-a.rds.cn-north-1.amazonaws.com.cn.evil.cn'],
  ['no Region', 'x.cluster-a.rds.amazonaws.com'],
  ['something else where the Region stands', 'x.cluster-a.useast1.rds.amazonaws.com'],
  ['global without being the global writer', 'x.cluster-a.global.rds.amazonaws.com'],
  ['the global writer of another word', 'x.global-a.world.rds.amazonaws.com'],
  ['a Region without a service', 'us-east-1.amazonaws.com'],
  ['no name before the Region', 'us-east-1.rds.amazonaws.com'],
  ['an empty label in front', '.cluster-a.us-east-1.rds.amazonaws.com'],
  ['an empty label within', 'x..us-east-1.rds.amazonaws.com'],
  ['two trailing dots', 'x.cluster-a.us-east-1.rds.amazonaws.com..'],
  ['a label that begins with a hyphen', '-x.cluster-a.us-east-1.rds.amazonaws.com'],
  ['a label that is too long', `${'x'.repeat(64)}.cluster-a.us-east-1.rds.amazonaws.com`],
  ['a name that is too long', `${'x.'.repeat(120)}us-east-1.rds.amazonaws.com`],
  ['a space', 'x.cluster-a .us-east-1.rds.amazonaws.com'],
  ['a space at the end', 'x.cluster-a.us-east-1.rds.amazonaws.com '],
  ['a line break at the end', 'x.cluster-a.us-east-1.rds.amazonaws.com\n'],
  ['letters of another alphabet', 'x.cluster-а.us-east-1.rds.amazonaws.com'],
  ['a sign that folds to a letter', 'x.cluster-a.us-east-1.rds.amazonawſ.com'],
  ['the Kelvin sign, whose lower case is k', '\u212A.cluster-a.us-east-1.rds.amazonaws.com'],
  ['a port', 'x.cluster-a.us-east-1.rds.amazonaws.com:3306'],
  ['a URL', 'mysql://x.cluster-a.us-east-1.rds.amazonaws.com'],
  ['a user in front', 'me@x.cluster-a.us-east-1.rds.amazonaws.com'],
  ['a null byte', 'x.cluster-a.us-east-1.rds.amazonaws.com\0.evil.com'],
])('no RDS name: %s', (_what, host) => {
  expect(parseRdsHostname(host)).toBeUndefined()
})

test('any string: no exception, and a lower-case host name that parses the same again', () => {
  const label = fc.oneof(
    fc.constantFrom('', 'x', 'rds', 'rds-fips', 'global', 'cluster-a', 'proxy-a', 'endpoint', 'US-EAST-1'),
    fc.constantFrom('cn-north-1', 'amazonaws', 'com', 'cn', 'eu', 'c2s', 'ic', 'gov', 'K', ' ', '-'),
    fc.string({ maxLength: 5 }),
  )
  const host = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(label, { maxLength: 9 }).map((labels) => labels.join('.')),
    fc.tuple(label, label, label).map((front) => `${front.join('.')}.us-east-1.rds.amazonaws.com`),
  )
  fc.assert(
    fc.property(host, (text) => {
      const parsed = parseRdsHostname(text)
      if (!parsed) return
      expect(parsed.hostname).toMatch(/^[a-z0-9][a-z0-9._-]*[a-z0-9]$/)
      expect(parseRdsHostname(parsed.hostname)).toEqual(parsed)
      if (parsed.region !== undefined) expect(isRegion(parsed.region)).toBe(true)
    }),
    { seed: 20_261_123, numRuns: 5_000 },
  )
})
