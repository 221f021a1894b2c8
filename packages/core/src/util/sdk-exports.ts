/**
 * Returns the exports of a module of the AWS SDK, for every dynamic import of one. The modules are CommonJS: Node adds
 * `default` to their names, and a bundle that esbuild splits into ES chunks has `default` alone.
 */
export async function sdkExports<Exports extends object>(loading: Promise<Exports>): Promise<Exports> {
  const loaded = await loading
  const names = Object.keys(loaded)
  return names.length === 1 && 'default' in loaded ? (loaded.default as Exports) : loaded
}
