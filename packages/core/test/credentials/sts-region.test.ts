import { afterEach, expect, test, vi } from 'vitest'
import { stsRegion } from '../../src/credentials/sts-region.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

test.each([
  [undefined, 'eu-west-1', 'eu-west-1'],
  ['', 'eu-west-1', 'eu-west-1'],
  ['us-east-1', 'eu-west-1', undefined],
  ['us-east-1', 'cn-north-1', 'cn-north-1'],
  ['cn-northwest-1', 'cn-north-1', undefined],
  ['us-east-1', 'us-gov-west-1', 'us-gov-west-1'],
  ['us-gov-east-1', 'us-gov-west-1', undefined],
  ['us-east-1', 'us-iso-east-1', 'us-iso-east-1'],
  ['us-iso-west-1', 'us-iso-east-1', undefined],
  ['us-iso-east-1', 'us-isob-east-1', 'us-isob-east-1'],
  ['us-isof-south-1', 'us-isof-east-1', undefined],
  ['us-isob-east-1', 'us-isof-east-1', 'us-isof-east-1'],
  ['eu-west-2', 'eu-isoe-west-1', 'eu-isoe-west-1'],
  ['eu-isoe-west-1', 'eu-isoe-west-1', undefined],
  ['eu-west-2', 'eu-iso-west-1', 'eu-iso-west-1'],
  ['eu-central-1', 'eusc-de-east-1', 'eusc-de-east-1'],
])('AWS_REGION %s and a database in %s: STS is asked in %s', (configured, database, expected) => {
  vi.stubEnv('AWS_REGION', configured)
  expect(stsRegion(database)).toBe(expected)
})
