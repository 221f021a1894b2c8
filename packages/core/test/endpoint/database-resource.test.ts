import { expect, test } from 'vitest'
import { databaseResources } from '../../src/endpoint/database-resource.ts'
import { type EndpointKind, isProxyKind } from '../../src/endpoint/rds-hostname.ts'

test.each<[EndpointKind, string[]]>([
  ['cluster', ['cluster-']],
  ['cluster-ro', ['cluster-']],
  ['cluster-custom', ['cluster-']],
  ['global-writer', ['cluster-']],
  ['instance', ['db-', 'cluster-']],
  ['other', ['db-', 'cluster-']],
  ['proxy', ['prx-']],
  ['proxy-endpoint', ['prx-']],
])('an endpoint of kind %s: the resources that it may lead to, the likeliest first', (kind, prefixes) => {
  expect(databaseResources(kind).map(({ idPrefix }) => idPrefix)).toEqual(prefixes)
  expect(isProxyKind(kind)).toBe(prefixes.includes('prx-'))
})
