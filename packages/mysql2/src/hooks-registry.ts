import type { AdapterIam } from '@aurora-iam/core/adapter'
import type { ConnectionHooks } from './driver-types.ts'

const iamByStream = new WeakMap<object, AdapterIam>()

/** Remembers whose connections `hooks` open. */
export function registerHooks(hooks: ConnectionHooks, iam: AdapterIam): void {
  iamByStream.set(hooks.stream, iam)
}

/** Returns the {@link AdapterIam} whose hooks stand in mysql2's `options`, or undefined where there are none. */
export function iamOfHooks(options: { readonly stream?: unknown } | undefined): AdapterIam | undefined {
  const { stream } = options ?? {}
  return typeof stream === 'function' ? iamByStream.get(stream) : undefined
}
