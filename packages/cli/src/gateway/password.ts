import { timingSafeEqual } from 'node:crypto'
import { scrambleCachingSha2, scrambleNativePassword } from '@aurora-iam/wire'

/** Plugins by which a client proves its password. Neither sends the password itself. */
export type ClientPlugin = 'caching_sha2_password' | 'mysql_native_password'

const EXPECTED: Readonly<Record<ClientPlugin, (password: string, scramble: Uint8Array) => Buffer>> = {
  caching_sha2_password: scrambleCachingSha2,
  mysql_native_password: scrambleNativePassword,
}

/** Returns whether `name` is a plugin that a client can use here. */
export function isClientPlugin(name: string | undefined): name is ClientPlugin {
  return name !== undefined && Object.hasOwn(EXPECTED, name)
}

/** Returns whether `response` proves the password, compared in constant time. An empty response never does. */
export function provesPassword(
  plugin: ClientPlugin,
  response: Buffer,
  { password, scramble }: { readonly password: string; readonly scramble: Uint8Array },
): boolean {
  const expected = EXPECTED[plugin](password, scramble)
  return response.length === expected.length && expected.length > 0 && timingSafeEqual(response, expected)
}
