import dns from 'node:dns'
import { isIP } from 'node:net'
import { vi } from 'vitest'

type LookUpCallback = (error: Error | null, address?: unknown, family?: number) => void

/**
 * Stands for a name server: the resolver of the machine answers with the address that `addressOf` returns for a name,
 * and as before where it returns none. A test restores the resolver by `vi.restoreAllMocks()`.
 */
export function answerNames(addressOf: (name: string) => string | undefined): void {
  const { lookup } = dns
  const promised = dns.promises.lookup
  const find = (name: string) => (isIP(name) === 0 ? addressOf(name) : undefined)
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: unknown[]) => {
    const address = find(name)
    if (address === undefined) return (lookup as (...all: unknown[]) => void)(name, ...rest)
    const callback = rest.at(-1) as LookUpCallback
    const { all } = (rest.length > 1 ? rest[0] : {}) as { readonly all?: boolean }
    process.nextTick(() => (all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4)))
  }) as never)
  vi.spyOn(dns.promises, 'lookup').mockImplementation((async (name: string, options: object) => {
    const address = find(name)
    return address === undefined ? promised(name, options) : [{ address, family: 4 }]
  }) as never)
}
