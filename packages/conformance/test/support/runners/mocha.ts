import { type SuiteOptions, suite } from '@session-stores/conformance'
import { subject } from './subject.ts'

const { describe, it } = globalThis as unknown as Pick<SuiteOptions, 'describe' | 'it'>

suite({ describe, it, ...subject })
