import { expect, test, vi } from 'vitest'
import { adapterIam } from '../src/adapter.ts'
import { AuroraIamError, createAuroraIam } from '../src/index.ts'

// Two adapters may bring one copy of this package each.

test('an AuroraIam of one copy: the adapters of another find it', async () => {
  const copy = '../src/create-aurora-iam.ts?copy'
  const { adapterIam: copied } = (await import(copy)) as { adapterIam: typeof adapterIam }
  expect(copied).not.toBe(adapterIam)
  const iam = createAuroraIam()
  expect(copied(iam)).toBe(adapterIam(iam))
})

test('an error of another copy: instanceof holds both ways', async () => {
  vi.resetModules()
  const { AuroraIamError: Other } = await import('../src/index.ts')
  expect(Other).not.toBe(AuroraIamError)
  const [here, there] = [AuroraIamError, Other].map((Class) => new Class('ERR_AURORA_IAM_CLOSED', 'Closed.'))
  expect(there).toBeInstanceOf(AuroraIamError)
  expect(here).toBeInstanceOf(Other)
})
