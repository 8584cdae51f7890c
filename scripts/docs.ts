/**
 * `npm run docs`: the API reference of the packages that are made to be embedded, from their own doc comments.
 *
 * It is written to `docs/reference/api`, which is not under version control. With `--check` nothing is written. Both
 * fail where a reader would find nothing: a public module or one of its exports without a sentence, or a link that leads
 * nowhere. Fields are left out on purpose: most say with their name and type all there is to say, and sentences that
 * repeat them would hide the ones that matter. Typedoc's own check of this cannot tell an exported function from a field
 * that holds one, so it is done here.
 *
 * @since 0.1.0
 */
import { readFileSync } from "node:fs"
import { join, relative } from "node:path"
import {
  Application,
  Comment,
  Converter,
  type DeclarationReflection,
  type ProjectReflection,
  type TypeDocOptions
} from "typedoc"
import { load as markdown, type PluginOptions } from "typedoc-plugin-markdown"
import { Failure, runMain } from "./internal/Failure.ts"
import { root } from "./internal/Workspace.ts"

const outputFolder = join(root, "docs/reference/api")

/** The packages of which every public module is described. */
const packages = ["domain", "application"] as const

const sourceCondition = "@pillivery/source"

/** The part of a package.json that is read here. */
interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** The public modules by their file: what their importers call them. */
const namesByFile: ReadonlyMap<string, string> = new Map(
  packages.flatMap((folder) => {
    const manifest: Manifest = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"))
    return Object.entries(manifest.exports).map(([path, targets]) => {
      const file = targets[sourceCondition]
      if (file === undefined) throw new Failure(`${manifest.name} names no source of ${path}: run \`npm run codegen\``)
      return [join(root, "packages", folder, file), `${manifest.name}${path.slice(1)}`] as const
    })
  })
)

/** The comment at the head of a file, which typedoc would take for a module's only if it were tagged `@module`. */
const headOf = (text: string): Comment | undefined => {
  const [, body] = /^\/\*\*\n(.*?)\n \*\/\n/s.exec(text) ?? []
  const prose = body?.replace(/^ \* ?/gm, "").replace(/^@.*$/gm, "")
  return prose === undefined ? undefined : new Comment([{ kind: "text", text: prose.trim() }])
}

/** Calls each module what its importers call it, and gives it the comment at the head of its file. */
const describeModules = (app: Application): void => {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    const file = context.getSymbolFromReflection(reflection)?.declarations?.[0]?.getSourceFile()
    if (reflection.parent?.isProject() !== true || file === undefined) return
    const head = headOf(file.text)
    reflection.name = namesByFile.get(file.fileName) ?? relative(root, file.fileName)
    if (head !== undefined) reflection.comment = head
  })
}

/** Whether a reader finds a sentence about it; a function's stands with its signatures. */
const isDescribed = (reflection: DeclarationReflection): boolean =>
  reflection.hasComment() || reflection.getAllSignatures().some((signature) => signature.hasComment())

/** Modules and exports without a sentence, as `module` and `module.export`. */
const undescribedOf = (project: ProjectReflection): ReadonlyArray<string> =>
  (project.children ?? []).flatMap((module) => [
    ...(isDescribed(module) ? [] : [module.name]),
    ...(module.children ?? [])
      .filter((reflection) => !isDescribed(reflection))
      .map((reflection) => `${module.name}.${reflection.name}`)
  ])

const options: TypeDocOptions & PluginOptions = {
  name: "Pillivery",
  entryPoints: [...namesByFile.keys()],
  tsconfig: join(root, "docs/tsconfig.json"),
  plugin: [markdown, describeModules],
  readme: "none",
  outputFileStrategy: "modules",
  disableSources: true,
  outputs: [{ name: "markdown", path: outputFolder }],
  logLevel: "Warn",
  // `npm run check` compiles the same files, with a stricter compiler.
  skipErrorChecking: true,
  // What a schema class inherits from effect is described there.
  excludeExternals: true,
  validation: { notExported: false, notDocumented: false, invalidLink: true }
}

await runMain(async () => {
  const app = await Application.bootstrapWithPlugins(options)
  const project = await app.convert()
  if (project === undefined) throw new Failure("the sources cannot be read: run `npm run check -- types`")
  app.validate(project)
  const missing = undescribedOf(project)
  for (const name of missing) console.error(`${name} has no doc comment`)
  const { errorCount, validationWarningCount, warningCount } = app.logger
  if (missing.length + errorCount + validationWarningCount + warningCount > 0) return 1
  if (!process.argv.includes("--check")) await app.generateOutputs(project)
  console.log(`${namesByFile.size} modules described`)
  return app.logger.hasErrors() ? 1 : 0
})
