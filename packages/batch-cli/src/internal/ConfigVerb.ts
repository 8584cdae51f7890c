/**
 * The verb that shows the configuration, so that nobody has to guess which source won.
 *
 * @since 0.1.0
 */
import { Console, Effect } from "effect"
import { Command } from "effect/cli"
import { Configuration, shown } from "./Configuration.ts"
import { json } from "./Output.ts"

/** Prints what is in force, and where each value comes from. */
export const configCommand = Command.make(
  "config",
  { json },
  Effect.fnUntraced(function* ({ json }) {
    const { all, file } = yield* Configuration
    const settings = all.map((inForce) => ({
      name: inForce.setting.name,
      value: shown(inForce),
      source: inForce.source
    }))
    if (json) return yield* Console.log(JSON.stringify({ file, settings }))
    for (const { name, source, value } of settings) yield* Console.log(`${name}=${value ?? ""}  # ${source}`)
    yield* Console.log(file === null ? "# no file" : `# file ${file}`)
  })
).pipe(Command.withDescription("Print the configuration in force, and where each value comes from; secrets are masked"))
