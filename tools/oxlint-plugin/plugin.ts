/**
 * Our own lint rules: what the house style forbids and oxlint has no rule for.
 *
 * Each rule has a fixture in `tools/fixtures/lint` that it must reject.
 *
 * @since 0.1.0
 */

/** The parts of a syntax tree node that these rules look at. */
interface Node {
  readonly type: string
  readonly name?: unknown
  readonly value?: unknown
  readonly key?: Node
  readonly object?: Node
  readonly property?: Node
  readonly tag?: Node
  readonly expression?: Node
  readonly typeAnnotation?: Node
  readonly typeArguments?: Node | null
}

interface Context {
  readonly options: ReadonlyArray<unknown>
  readonly report: (problem: { readonly node: Node; readonly message: string }) => void
}

type Visitor = Readonly<Record<string, (node: Node) => void>>

interface Rule {
  readonly meta: { readonly docs: { readonly description: string }; readonly schema: ReadonlyArray<object> }
  readonly create: (context: Context) => Visitor
}

const rule = (description: string, create: Rule["create"], options: ReadonlyArray<object> = []): Rule => ({
  meta: { docs: { description }, schema: options },
  create
})

/** The name of an identifier or of a string key. */
const nameOf = (node: Node | undefined): string | undefined => {
  if (node?.type === "Identifier" && typeof node.name === "string") return node.name
  return node?.type === "Literal" && typeof node.value === "string" ? node.value : undefined
}

/** Whether the expression is `name` or `….name`. */
const endsWithName = (node: Node | undefined, name: string): boolean =>
  nameOf(node) === name || (node?.type === "MemberExpression" && nameOf(node.property) === name)

const noUncheckedConstruction = rule("schema classes are always checked when built", (context) => ({
  Property: (node) => {
    const name = nameOf(node.key)
    if (name === "disableValidation" || name === "disableChecks") {
      context.report({ node, message: `${name} builds values that break their own rules: build or decode them` })
    }
  }
}))

const noUncheckedRows = rule("rows are decoded, never asserted", (context) => ({
  TaggedTemplateExpression: (node) => {
    if (endsWithName(node.tag, "sql") && node.typeArguments) {
      context.report({ node, message: "sql<T> asserts a row type that nobody checks: decode it with SqlSchema" })
    }
  }
}))

const runners = /^run(?:Promise|Sync|Fork|Callback|Main)(?:Exit)?(With)?$/

/** The option `allowInContext` lets `Effect.run…With(context)` pass: the bridge from a driver's callback. */
const allowsInContext = (option: unknown): boolean =>
  typeof option === "object" && option !== null && "allowInContext" in option && option.allowInContext === true

const noRunEffect = rule(
  "only composition roots run effects",
  (context) => ({
    MemberExpression: (node) => {
      const owner = nameOf(node.object)
      const name = nameOf(node.property)
      if ((owner !== "Effect" && owner !== "NodeRuntime") || name === undefined) return
      const match = runners.exec(name)
      if (match === null || (match[1] !== undefined && allowsInContext(context.options[0]))) return
      context.report({ node, message: `${owner}.${name} belongs in a composition root: return the effect instead` })
    }
  }),
  [{ type: "object", properties: { allowInContext: { type: "boolean" } }, additionalProperties: false }]
)

const noDoubleAssertion = rule("types are not forced through unknown", (context) => ({
  TSAsExpression: (node) => {
    const inner = node.expression
    if (inner?.type === "TSAsExpression" && inner.typeAnnotation?.type === "TSUnknownKeyword") {
      context.report({ node, message: "`as unknown as` switches the compiler off: decode the value or fix its type" })
    }
  }
}))

const noExportAll = rule("a module names what it exports", (context) => ({
  ExportAllDeclaration: (node) => {
    context.report({ node, message: "`export *` hides what is public: import the module itself" })
  }
}))

const oneTransactionHelper = rule("transactions go through one helper", (context) => ({
  MemberExpression: (node) => {
    if (nameOf(node.property) === "withTransaction" || nameOf(node.property) === "makeWithTransaction") {
      context.report({
        node,
        message: "withTransaction only in adapters-mysql/src/Transaction.ts: it alone retries and sets isolation"
      })
    }
  }
}))

export default {
  meta: { name: "pillivery" },
  rules: {
    "no-double-assertion": noDoubleAssertion,
    "no-export-all": noExportAll,
    "no-run-effect": noRunEffect,
    "no-unchecked-construction": noUncheckedConstruction,
    "no-unchecked-rows": noUncheckedRows,
    "one-transaction-helper": oneTransactionHelper
  }
}
