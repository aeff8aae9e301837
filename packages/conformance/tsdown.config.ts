import type { UserConfig } from 'tsdown'
import base from '../../tsdown.config.ts'

const modules = { index: 'src/index.ts', sites: 'src/sites/express.ts' }
/** Each of these runs as a process of its own, as an ES module. In the build, all of them lie in one folder. */
const programs = { cli: 'src/cli.ts', child: 'src/cli/child.ts' }

const config: UserConfig[] = [
  { ...base, entry: { ...modules, ...programs }, format: 'esm' },
  { ...base, entry: modules, format: 'cjs' },
]
export default config
