/**
 * Makes the mistake named by `PILLIVERY_MUTANT` while the modules are loaded; loaded before the program with
 * `node --import`.
 */
import { registerHooks } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { mutants } from "./Mutants.ts"

const name = process.env["PILLIVERY_MUTANT"] ?? ""
const mutant = mutants[name]
if (mutant === undefined) throw new Error(`there is no mutant ${name}`)

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const waiting = new Set(mutant.edits)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    let source = String(loaded.source ?? "")
    const edits = mutant.edits.filter(({ file }) => pathToFileURL(join(root, file)).href === url)
    for (const edit of edits) {
      if (source.split(edit.from).length !== 2) throw new Error(`mutant ${name}: its text is not once in ${edit.file}`)
      source = source.replace(edit.from, () => edit.to)
      waiting.delete(edit)
    }
    return edits.length === 0 ? loaded : { ...loaded, source }
  }
})

process.on("exit", () => {
  for (const { file } of waiting) {
    console.error(`mutant ${name}: ${file} was never loaded`)
    process.exitCode = 2
  }
})
