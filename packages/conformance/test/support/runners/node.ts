import { describe, it } from 'node:test'
import { suite } from '@session-stores/conformance'
import { subject } from './subject.ts'

suite({ describe, it, ...subject })
