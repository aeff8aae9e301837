import type { MarkdownRenderer } from 'vitepress'

/**
 * Shows the text of the pages as it is. VitePress would take `{{ x }}` for an expression of Vue, and
 * pages have comments that only the commands of this repository read.
 */
export function plainText(md: MarkdownRenderer): void {
  md.core.ruler.before('normalize', 'comments', (state) => {
    state.src = state.src.replaceAll(/^<!-- .* -->$/gm, '')
  })
  // The colours of thousands of blocks would take most of the time of a build.
  md.core.ruler.push('plain-blocks', ({ tokens, env }) => {
    if (!/^generated\/|^benchmarks\/results\//.test(env.relativePath)) return
    for (const token of tokens) if (token.type === 'fence') token.info = 'text'
  })
  const { text } = md.renderer.rules
  md.renderer.rules.text = (...args) => text!(...args).replaceAll('{{', '&#123;&#123;')
}
