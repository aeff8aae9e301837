import { suite } from '@session-stores/conformance'
import { describe, it } from 'vitest'
import { subject } from './subject.ts'

suite({ describe, it, ...subject })
