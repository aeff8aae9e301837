import type { UserConfig } from 'tsdown'
import base from './tsdown.config.ts'

/**
 * The build of core and the drivers: as CommonJS, which the ES module exports again. So a package is
 * half as large, and a program that has both kinds of modules has each class, such as
 * `SessionStoreError`, once.
 */
const config: UserConfig = {
  ...base,
  format: 'cjs',
  plugins: [
    base.plugins,
    {
      name: 'es-module',
      generateBundle(_options, bundle) {
        const index = bundle['index.cjs']
        if (index?.type !== 'chunk') return
        const names = index.exports.join(', ')
        this.emitFile({
          type: 'asset',
          fileName: 'index.mjs',
          source: `export { ${names} } from './index.cjs'\n`,
        })
        this.emitFile({ type: 'asset', fileName: 'index.d.mts', source: "export * from './index.cjs'\n" })
      },
    },
  ],
}
export default config
