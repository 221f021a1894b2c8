import { expect, test, vi } from 'vitest'
import { setUp } from '../set-up.ts'

test('close(): each listener gets a separate CLOSED error, unless it was removed', () => {
  const { iam } = setUp()
  const heard: Error[] = []
  const removed = vi.fn()
  iam.onClose((error) => heard.push(error))
  iam.onClose(removed)()
  iam.onClose((error) => heard.push(error))
  iam.close()
  expect(heard).toMatchObject([{ code: 'ERR_AURORA_IAM_CLOSED' }, { code: 'ERR_AURORA_IAM_CLOSED' }])
  expect(heard[0]).not.toBe(heard[1])
  expect(removed).not.toHaveBeenCalled()
})

test('a listener that throws: the others are called, and its error is uncaught', () => {
  const { iam } = setUp()
  const error = new Error("a fault of the caller's callback")
  const other = vi.fn()
  iam.onClose(() => {
    throw error
  })
  iam.onClose(other)
  const nextTick = vi.spyOn(process, 'nextTick').mockImplementationOnce(() => {})
  iam.close()
  const [[rethrow]] = nextTick.mock.calls as [[() => void]]
  nextTick.mockRestore()
  expect(rethrow).toThrow(error)
  expect(other).toHaveBeenCalledOnce()
})
