/**
 * What is in force: flags go before the environment, the environment before the file, the file before the defaults.
 *
 * Whatever a source says is checked at the start, all of it at once, and told with its source. The file has the same
 * names as the environment, as lines `NAME=value` or as one JSON object; a name it does not know is an error, since a
 * setting that is spelled wrong would otherwise be silently the default.
 *
 * @since 0.1.0
 */
import { ConfigProvider, Context, Effect, FileSystem, Layer, Option, Schema } from "effect"
import { Flag } from "effect/cli"
import { parseEnv } from "node:util"
import { flagOf, type Setting, settings } from "./Settings.ts"

/** Names the file where neither flag nor environment does. */
export const fileVariable = "PILLIVERY_CONFIG"
/** The largest file that is read, in bytes. */
export const fileBytesMax = 65_536

/** Where a value comes from. */
export type Source = "flag" | "environment" | "file" | "default" | "unset"

/** One setting and its value. */
export interface InForce {
  readonly setting: Setting
  readonly value: string | null
  readonly source: Source
}

/** What is in force in this process. */
export class Configuration extends Context.Service<
  Configuration,
  { readonly file: string | null; readonly all: ReadonlyArray<InForce> }
>()("@pillivery/batch-cli/Configuration") {}

/** The configuration cannot be used; each line says which setting, from where, and why. */
export class ConfigurationInvalid extends Schema.TaggedError<ConfigurationInvalid>(
  "@pillivery/batch-cli/ConfigurationInvalid"
)("ConfigurationInvalid", { problems: Schema.Array(Schema.String) }) {
  override get message() {
    return this.problems.join("; ")
  }
}

const isReadByOthers = 0o077

/** The flags of the configuration, which every verb takes. */
export const configFlags = {
  config: Flag.File("config").pipe(
    Flag.withMetavar("FILE"),
    Flag.withDescription(`Settings as NAME=value lines or one JSON object; ${fileVariable} names it too`),
    Flag.optional
  ),
  ...Object.fromEntries(
    settings.flatMap((setting) => {
      const flag = flagOf(setting)
      if (flag === null) return []
      const { byDefault, meaning, shape } = setting
      const description = `${meaning}${byDefault === null ? "" : `; ${byDefault} by default`}`
      return [
        [
          setting.name,
          Flag.String(flag).pipe(Flag.withMetavar(shape), Flag.withDescription(description), Flag.optional)
        ] as const
      ]
    })
  )
}

/** What was said on the command line. */
export type Said = Readonly<Record<string, Option.Option<string>>> & { readonly config: Option.Option<string> }

/** Reads every source, refuses what is wrong, and puts what is in force before whoever asks for configuration. */
export const layer = (said: Said) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const environment = yield* ConfigProvider.ConfigProvider
      const inEnvironment = Effect.fnUntraced(function* (name: string) {
        const node = yield* environment.load([name])
        // A variable that is set to nothing is not set.
        return node?._tag === "Value" && node.value !== "" ? node.value : null
      })
      const path = Option.getOrNull(said.config) ?? (yield* inEnvironment(fileVariable))
      const inFile = path === null ? {} : yield* readFile(path)
      const all: Array<InForce> = []
      for (const setting of settings) {
        const flag = Option.getOrNull(said[setting.name] ?? Option.none())
        const variable = yield* inEnvironment(setting.name)
        const fromFile = inFile[setting.name] ?? ""
        if (flag !== null) all.push({ setting, value: flag, source: "flag" })
        else if (variable !== null) all.push({ setting, value: variable, source: "environment" })
        else if (fromFile !== "") all.push({ setting, value: fromFile, source: "file" })
        else {
          all.push({ setting, value: setting.byDefault, source: setting.byDefault === null ? "unset" : "default" })
        }
      }
      const provider = ConfigProvider.fromUnknown(
        Object.fromEntries(all.flatMap(({ setting, value }) => (value === null ? [] : [[setting.name, value]])))
      )
      const problems = (yield* Effect.forEach(all, (inForce) => problemsOf(inForce, provider))).flat()
      if (problems.length > 0) return yield* new ConfigurationInvalid({ problems })
      // Variables that are no settings of ours, of Node for one, are read as ever.
      return Layer.merge(
        ConfigProvider.layer(ConfigProvider.orElse(provider, environment)),
        Layer.succeed(Configuration, { file: path, all })
      )
    })
  )

const sourceInWords: Readonly<Record<Source, string>> = {
  flag: "on the command line",
  environment: "in the environment",
  file: "in the file",
  default: "by default",
  unset: "nowhere"
}

const problemsOf = ({ setting, source, value }: InForce, provider: ConfigProvider.ConfigProvider) => {
  if (value === null) return Effect.succeed([])
  const where = `${setting.name} ${sourceInWords[source]}`
  if (source === "flag" && setting.secret === "password" && maskPassword(value) !== value) {
    return Effect.succeed([`${where} must not hold a password: put it into the environment or the file`])
  }
  return setting.config.parse(provider).pipe(
    Effect.match({
      onSuccess: () => [],
      onFailure: ({ message }) => [`${where}${setting.secret === "no" ? ` is ${value}` : ""}: ${reasonOf(message)}`]
    })
  )
}

// "SchemaError(Expected a whole number, 1 to 5\n  at ["NAME"])": the name is told already.
const reasonOf = (message: string): string =>
  message
    .replace(/^SchemaError\(/, "")
    .replace(/\s*\n\s*at \[[^\]]*\]\)?$/, "")
    .replaceAll(/\s*\n\s*/g, " ")
    .replace(/^E/, "e")

/** A value as it may be shown. */
export const shown = ({ setting, value }: InForce): string | null => {
  if (value === null || setting.secret === "no") return value
  return setting.secret === "all" ? mask : maskPassword(value)
}

const mask = "<redacted>"

const maskPassword = (text: string): string => {
  const url = URL.parse(text)
  if (url === null) return mask
  if (url.password === "") return text
  url.password = "redacted"
  return url.href
}

const invalid = (problem: string) => new ConfigurationInvalid({ problems: [problem] })

const JsonFile = Schema.fromJsonString(
  Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean]))
)

const readFile = Effect.fnUntraced(function* (path: string) {
  const files = yield* FileSystem.FileSystem
  const unreadable = () => invalid(`the file ${path} cannot be read`)
  const info = yield* files.stat(path).pipe(Effect.mapError(unreadable))
  if (Number(info.size) > fileBytesMax) return yield* invalid(`the file ${path} is larger than ${fileBytesMax} bytes`)
  const text = yield* files.readFileString(path).pipe(Effect.mapError(unreadable))
  const values = text.trimStart().startsWith("{") ? yield* readJson(path, text) : yield* readLines(path, text)
  const known = new Map(settings.map((setting) => [setting.name, setting]))
  const unknown = Object.keys(values).filter((name) => !known.has(name))
  if (unknown.length > 0) {
    return yield* new ConfigurationInvalid({
      problems: unknown.map((name) => `${name} in the file ${path} is unknown`)
    })
  }
  const isSecret = Object.keys(values).some((name) => known.get(name)?.secret !== "no")
  if (isSecret && process.platform !== "win32" && (info.mode & isReadByOthers) !== 0) {
    yield* Effect.logWarning(`the file ${path} holds secrets and others may read it: chmod 600 ${path}`)
  }
  return values
})

const readJson = (path: string, text: string) =>
  Schema.decodeUnknownEffect(JsonFile)(text).pipe(
    Effect.mapError(() => invalid(`the file ${path} is not one JSON object of names and plain values`)),
    Effect.map((values) =>
      Object.fromEntries(Object.entries(values).map(([name, value]): [string, string] => [name, String(value)]))
    )
  )

// The parser passes over what it does not understand, and a setting would silently be missing.
const lineOk = /^\s*($|#|(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=)/

const readLines = (path: string, text: string): Effect.Effect<Record<string, string>, ConfigurationInvalid> => {
  const wrong = text.split(/\r?\n/).findIndex((line) => !lineOk.test(line))
  if (wrong >= 0) return Effect.fail(invalid(`line ${wrong + 1} of the file ${path} is not NAME=value`))
  return Effect.succeed(
    Object.fromEntries(Object.entries(parseEnv(text)).map(([name, value]): [string, string] => [name, value ?? ""]))
  )
}
