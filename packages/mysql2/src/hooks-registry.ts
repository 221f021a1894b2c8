import type { AdapterIam } from '@aurora-iam/core/adapter'
import type { ConnectionHooks } from './driver-types.ts'

const iamByStream = new WeakMap<object, AdapterIam>()
const managed = new WeakSet<object>()

/** Remembers whose connections `hooks` open. */
export function registerHooks(hooks: ConnectionHooks, iam: AdapterIam): void {
  iamByStream.set(hooks.stream, iam)
}

/** Returns the {@link AdapterIam} whose hooks stand in mysql2's `options`, or undefined where there are none. */
export function iamOfHooks(options: { readonly stream?: unknown } | undefined): AdapterIam | undefined {
  return iamByStream.get(options?.stream as object)
}

/** Remembers that the connections that mysql2's `options` open belong to a managed pool. */
export function markManaged(options: { readonly stream?: unknown } | undefined): void {
  const { stream } = options ?? {}
  if (typeof stream === 'function') managed.add(stream)
}

/** Returns true if the connections that `hooks` open belong to a managed pool. */
export function isManaged({ stream }: ConnectionHooks): boolean {
  return managed.has(stream)
}
