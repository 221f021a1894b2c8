import { expect, test } from 'vitest'
import { outsideTransaction, queryError } from '../src/errors.ts'
import { type AuroraIamExtensionOptions, assertClient, createExtension } from '../src/extension.ts'

test.each(['7.10.0', '7.11.2', '7.10.0-dev.3'])('the client %s: accepted', (version) => {
  expect(() => assertClient(version)).not.toThrow()
})

test.each(['6.19.3', '7.9.1', '8.0.0', 'in-memory'])('the client %s: refused, with the remedy', (version) => {
  expect(() => assertClient(version)).toThrow(
    expect.objectContaining({
      code: 'ERR_AURORA_IAM_INVALID_OPTION',
      option: '@prisma/client',
      message: `@prisma/client: this is ${version}. Use 7.10 or a later 7 (npm install @prisma/client@^7.10 prisma@^7.10).`,
    }),
  )
})

interface Call {
  readonly model?: string | undefined
  readonly operation: string
  readonly args: unknown
  readonly query: (args: unknown) => Promise<unknown>
}

/** Returns what Prisma calls for each operation of a client with the extension. */
function operationsOf(options: AuroraIamExtensionOptions): (call: Call) => Promise<unknown> {
  const members = { status: () => ({}) as never, warmUp: async () => {} }
  const client = { $extends: (definition: unknown) => definition }
  const definition = createExtension(options, members)(client as never) as never as {
    client: { $iam: unknown }
    query: { $allOperations(call: Call): Promise<unknown> }
  }
  expect(definition.client.$iam).toBe(members)
  return definition.query.$allOperations
}

/** Returns Prisma's error for a query whose connection was lost. */
function lost(): Error {
  const error = queryError(Object.assign(new Error('closed'), { fatal: true, errno: 45_009 }))
  return Object.assign(new Error('lost'), {
    code: 'P1017',
    meta: { driverAdapterError: outsideTransaction(error) },
  })
}

/** Runs an operation that fails with `errors` in turn and then succeeds. Returns how often it ran, and how it ended. */
async function attempt(
  options: AuroraIamExtensionOptions,
  call: Pick<Call, 'model' | 'operation'>,
  errors: Error[],
) {
  let runs = 0
  const query = async (args: unknown) => {
    expect(args).toBe('the arguments')
    const error = errors[runs++]
    if (error) throw error
    return 'rows'
  }
  const end = await operationsOf(options)({ ...call, args: 'the arguments', query }).catch((error) => error)
  return { runs, end }
}

const RETRY = { retryReads: true }
const READS = [
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
  'count',
  'aggregate',
  'groupBy',
]

test('a read through a client with the extension twice: repeated once', async () => {
  const call = { model: 'Author', operation: 'findMany', args: 'the arguments' }
  const [outer, inner] = [operationsOf(RETRY), operationsOf(RETRY)]
  const failures = [lost(), lost(), lost(), lost()]
  let runs = 0
  const query = async () => {
    throw failures[runs++]
  }
  const error = await outer({ ...call, query: (args) => inner({ ...call, args, query }) }).catch((end) => end)
  expect({ runs, error }).toEqual({ runs: 2, error: failures[1] })
})

test.each(READS)('%s whose connection was lost: repeated once', async (operation) => {
  const read = { model: 'Author', operation }
  expect(await attempt(RETRY, read, [lost()])).toEqual({ runs: 2, end: 'rows' })
  expect(await attempt(RETRY, read, [])).toEqual({ runs: 1, end: 'rows' })
  const again = lost()
  expect(await attempt(RETRY, read, [lost(), again])).toEqual({ runs: 2, end: again })
})

test.each([
  ['a read without the option', {}, { model: 'Author', operation: 'count' }],
  ['a read with the option switched off', { retryReads: false }, { model: 'Author', operation: 'count' }],
  ['a write', RETRY, { model: 'Author', operation: 'create' }],
  ['raw SQL', RETRY, { operation: '$queryRaw' }],
  ['an operation with the name of a read and no model', RETRY, { operation: 'count' }],
])('%s whose connection was lost: not repeated', async (_, options, call) => {
  const error = lost()
  expect(await attempt(options, call, [error])).toEqual({ runs: 1, end: error })
})

test('a read that fails for another reason: not repeated', async () => {
  const error = new Error('syntax')
  expect(await attempt(RETRY, { model: 'Author', operation: 'count' }, [error])).toEqual({
    runs: 1,
    end: error,
  })
})

test.each([
  [{ retryRead: true }, { code: 'ERR_AURORA_IAM_UNKNOWN_OPTION', option: 'retryRead' }],
  [{ retryReads: 1 }, { code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'retryReads' }],
])('the options %j: refused', (options, error) => {
  expect(() => operationsOf(options as AuroraIamExtensionOptions)).toThrow(expect.objectContaining(error))
})
