import { expect, test } from 'vitest'
import { addressKey, endpointKey, tokenKey } from '../../src/endpoint/target-key.ts'

const TARGET = { hostname: 'db', port: 3306, username: 'app', region: 'eu-west-1' }

test('the keys of an endpoint and of an address: their name and port, at each call', () => {
  const address = { host: '10.0.0.1', port: 13306 }
  for (let calls = 0; calls < 2; calls++) {
    expect(endpointKey(TARGET)).toBe('db:3306')
    expect(addressKey(address)).toBe('10.0.0.1:13306')
  }
})

test('the key of a token: another for each part of the login', () => {
  const others = [
    { hostname: 'other' },
    { port: 3307 },
    { username: 'other' },
    { region: 'eu-west-2' },
    { region: undefined },
  ]
  const keys = [TARGET, ...others.map((other) => ({ ...TARGET, ...other }))].map(tokenKey)
  expect(new Set(keys).size).toBe(6)
  expect(tokenKey({ ...TARGET })).toBe(tokenKey(TARGET))
})
