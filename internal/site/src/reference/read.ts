import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript-api'
import { root } from '../pages.ts'

/** Reads the types of options and their docstrings from the sources. */

/** An option as its declaration and its docstring describe it. */
export interface Option {
  readonly name: string
  readonly type: string
  readonly isRequired: boolean
  /** The options of which one takes the place of this one. */
  readonly alternatives: readonly string[]
  readonly meaning: string
  /** The `@default` of the docstring, or `undefined`. */
  readonly preset: string | undefined
}

/** A type of options. */
export interface OptionsType {
  /** The docstring of the type. */
  readonly meaning: string
  readonly options: readonly Option[]
}

/** Returns the text of a docstring as one paragraph. */
function paragraph(comment: string | ts.NodeArray<ts.JSDocComment> | undefined): string {
  return (ts.getTextOfJSDocComment(comment) ?? '').replaceAll(/\s+/g, ' ').trim()
}

function docOf(node: ts.Node): { meaning: string; preset: string | undefined } {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc)
  const tag = ts.getJSDocTags(node).find(({ tagName }) => tagName.text === 'default')
  return {
    meaning: docs.map(({ comment }) => paragraph(comment)).join(' '),
    preset: tag && paragraph(tag.comment),
  }
}

/** Whether a member only says that another form of the options excludes it: `url?: undefined`. */
const isExcluded = (member: ts.PropertySignature): boolean =>
  member.type?.kind === ts.SyntaxKind.UndefinedKeyword

/** Returns the members of a type, of all forms that it may have. */
function membersOf(node: ts.Node): ts.PropertySignature[] {
  if (ts.isInterfaceDeclaration(node) || ts.isTypeLiteralNode(node))
    return node.members.filter(ts.isPropertySignature)
  if (ts.isUnionTypeNode(node) || ts.isIntersectionTypeNode(node)) return node.types.flatMap(membersOf)
  if (ts.isParenthesizedTypeNode(node)) return membersOf(node.type)
  if (ts.isTypeReferenceNode(node)) {
    const found = declarationOf(node.getSourceFile(), node.typeName.getText())
    return found ? membersOf(found) : []
  }
  if (ts.isTypeAliasDeclaration(node)) return membersOf(node.type)
  return []
}

type Declaration = ts.InterfaceDeclaration | ts.TypeAliasDeclaration

function declarationOf(source: ts.SourceFile, name: string): Declaration | undefined {
  return source.statements.find(
    (each): each is Declaration =>
      (ts.isInterfaceDeclaration(each) || ts.isTypeAliasDeclaration(each)) && each.name.text === name,
  )
}

/** @throws Error if the file declares no type of this name, or an option has no docstring. */
export function readOptions(file: string, name: string): OptionsType {
  const text = readFileSync(join(root, file), 'utf8')
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const declaration = declarationOf(source, name)
  if (declaration === undefined) throw new Error(`${file} declares no type ${name}`)
  const [excluded, taken] = [true, false].map((is) =>
    membersOf(declaration).filter((member) => isExcluded(member) === is),
  )
  const members = new Map(taken!.map((member) => [member.name.getText(), member]))
  const isForm = (option: string): boolean =>
    members.get(option)?.questionToken === undefined &&
    excluded!.some((member) => member.name.getText() === option)
  const options = [...members].map(([option, member]) => {
    const alternatives = isForm(option)
      ? [...members.keys()].filter((other) => other !== option && isForm(other))
      : []
    const doc = docOf(member)
    if (doc.meaning === '') throw new Error(`${name}.${option} in ${file} has no docstring`)
    const type = member.type!.getText().replaceAll(/\s+/g, ' ').replace(/^\| /, '')
    const isRequired = member.questionToken === undefined
    return { name: option, type, isRequired, alternatives, ...doc }
  })
  return { meaning: docOf(declaration).meaning, options }
}
