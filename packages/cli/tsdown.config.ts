import type { UserConfig } from 'tsdown'
import base from '../../tsdown.config.ts'

/** The package is a command alone, and has nothing to import. */
const config: UserConfig = { ...base, entry: { cli: 'src/cli.ts' }, format: 'esm', dts: false }
export default config
