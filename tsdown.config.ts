import { decode, encode } from '@jridgewell/sourcemap-codec'
import { defineConfig } from 'tsdown'

/**
 * Returns a source map that has one position for each line, as stack traces need it. It is a quarter
 * as large as the whole one.
 */
function toLines(text: string): string {
  const map = JSON.parse(text) as { mappings: string }
  // The fifth number of a position is a name.
  const lines = decode(map.mappings).map(([first]) => (first ? [first.slice(0, 4)] : []))
  return JSON.stringify({ ...map, names: [], mappings: encode(lines as ReturnType<typeof decode>) })
}

/** One build for every published package, run in the folder of each. */
export default defineConfig({
  cwd: process.cwd(),
  entry: 'src/index.ts',
  format: ['esm', 'cjs'],
  target: 'node22',
  dts: true,
  sourcemap: true,
  clean: true,
  outputOptions: {
    // The maps name the lines of the repository. Docstrings are in the declarations.
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: true, jsdoc: false },
  },
  plugins: [
    {
      name: 'maps-of-lines',
      generateBundle(_options, bundle) {
        for (const file of Object.values(bundle))
          if (file.type === 'asset' && file.fileName.endsWith('js.map'))
            file.source = toLines(String(file.source))
      },
    },
  ],
})
