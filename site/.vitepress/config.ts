// The site of the documentation, from the files that the repository shows: README.md, docs/ and the READMEs of
// packages.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import { defineConfig } from 'vitepress'

const root = resolve(import.meta.dirname, '../..')
// The public address, where sources are linked to. It is one setting of the repository.
const { repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { repository?: string }

/** Returns the address of a page on the site; undefined for a file that is no page. */
function addressOf(path: string): string | undefined {
  if (path === 'README.md') return '/'
  const [, name] = /^packages\/([^/]+)\/README\.md$/.exec(path) ?? []
  if (name !== undefined) return `/packages/${name}`
  const [, page] = /^(?:docs\/)?([^/]+)\.md$/.exec(path) ?? []
  return page === undefined ? undefined : `/${page}`
}

/** Returns where a link in the file `from` leads on the site; undefined where nothing is published yet. */
function rewritten(href: string, from: string): string | undefined {
  if (/^([a-z]+:|#)/.test(href)) return href
  const [target = '', fragment] = href.split('#')
  const path = posix.normalize(posix.join(posix.dirname(from), target)).replace(/\/$/, '')
  if (!existsSync(join(root, path))) throw new Error(`${from}: the link ${href} leads to no file`)
  const page = existsSync(join(root, path, 'README.md')) ? posix.join(path, 'README.md') : path
  const address = addressOf(page) ?? (repository && `${repository}/blob/main/${path}`)
  return address && (fragment === undefined ? address : `${address}#${fragment}`)
}

/** Returns the title of a page: its first heading. */
function titleOf(path: string): string {
  return /^# (.+)$/m.exec(readFileSync(join(root, path), 'utf8'))?.[1] ?? path
}

const link = (path: string) => ({ text: titleOf(path), link: addressOf(path) as string })
const page = (name: string) => link(`docs/${name}.md`)

const BEGIN = [
  'aws-setup',
  'endpoint-types',
  'choosing-the-rate',
  'local-development',
  'migrations',
  'any-client',
]
const RUN = [
  'rds-proxy',
  'lambda',
  'serverless-v2',
  'global-database',
  'fleet',
  'shutdown',
  'connection-lifetime',
]
const KNOW = ['how-a-connection-opens', 'token-lifetime', 'login-retry', 'errors', 'prisma-errors']
const all = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const rest = all
  .map((name) => name.slice(0, -3))
  .filter((name) => ![...BEGIN, ...RUN, ...KNOW].includes(name))

export default defineConfig({
  title: 'aurora-iam',
  description: 'Node programs log in to Amazon Aurora MySQL with IAM tokens instead of passwords',
  srcDir: root,
  srcExclude: [
    '.*/**',
    '**/CHANGELOG.md',
    '{scripts,test,examples,site,reports}/**',
    // Made by the bundle: a README there is a copy.
    'packages/*/{src,test,publish}/**',
  ],
  rewrites: {
    'README.md': 'index.md',
    'docs/:page.md': ':page.md',
    'packages/:name/README.md': 'packages/:name.md',
  },
  cleanUrls: true,
  // Links are checked above, by the paths of the repository.
  ignoreDeadLinks: true,
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      { text: 'Begin', items: BEGIN.map(page) },
      { text: 'Run', items: RUN.map(page) },
      { text: 'Know', items: KNOW.map(page) },
      {
        text: 'Packages',
        items: readdirSync(join(root, 'packages')).map((name) => link(`packages/${name}/README.md`)),
      },
      { text: 'More', items: [...rest.map(page), link('SECURITY.md'), link('CONTRIBUTING.md')] },
    ],
  },
  markdown: {
    config(md) {
      md.core.ruler.push('links of the repository', ({ tokens, env }) => {
        // VitePress gives the path of the page on the site, and the path of its file.
        const from = posix.relative(root, env.realPath ?? env.path)
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          if (token.type !== 'link_open') continue
          const href = rewritten(token.attrGet('href') ?? '', from)
          if (href === undefined) token.attrs = null
          else token.attrSet('href', href)
        }
      })
      const fence = md.renderer.rules.fence
      md.renderer.rules.fence = (tokens, index, ...others) => {
        const token = tokens[index]
        if (token?.info !== 'mermaid') return fence?.(tokens, index, ...others) ?? ''
        return `<pre class="mermaid" v-pre>${md.utils.escapeHtml(token.content)}</pre>`
      }
    },
  },
})
