import type { MarkdownRenderer } from 'vitepress'

/**
 * Shows the text of the pages as it is. VitePress would take `{{ x }}` for an expression of Vue, and
 * pages have comments that only the commands of this repository read.
 */
export function plainText(md: MarkdownRenderer): void {
  md.core.ruler.before('normalize', 'comments', (state) => {
    state.src = state.src.replaceAll(/^<!-- .* -->$/gm, '')
  })
  const { text } = md.renderer.rules
  md.renderer.rules.text = (...args) => text!(...args).replaceAll('{{', '&#123;&#123;')
}
