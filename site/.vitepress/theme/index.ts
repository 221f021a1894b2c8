import { type Theme, useRoute } from 'vitepress'
import DefaultTheme from 'vitepress/theme'
import { nextTick, onMounted, watch } from 'vue'

/** Draws the diagrams of a page. */
async function draw(): Promise<void> {
  await nextTick()
  if (document.querySelector('.mermaid') === null) return
  const { default: mermaid } = await import('mermaid')
  await mermaid.run()
}

const theme: Theme = {
  extends: DefaultTheme,
  setup() {
    const route = useRoute()
    onMounted(draw)
    watch(() => route.path, draw)
  },
}

export default theme
