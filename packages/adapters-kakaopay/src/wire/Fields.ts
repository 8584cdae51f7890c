/**
 * The kinds of field the provider's answers are made of.
 *
 * An absent value arrives as `null` in some answers, as a missing key in others and as an empty text in a third kind.
 * All three mean the same here. Whole numbers may come as numbers or as numeric texts.
 *
 * @since 0.1.0
 */
import { Won } from "@pillivery/domain/Won"
import { Schema, SchemaTransformation } from "effect"

const idLengthMax = 20
const digitsMax = 15

/** A name the provider gave to something; nothing more is assumed of it than that it is 1 to 20 characters long. */
export const Id = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(idLengthMax))

/** A text that says something. */
export const Text = Schema.String.check(Schema.isMinLength(1))

const numericText = Schema.String.check(Schema.isPattern(new RegExp(`^\\d{1,${digitsMax}}$`))).pipe(
  Schema.decodeTo(Won, SchemaTransformation.transform({ decode: Number, encode: String }))
)

/** An amount of whole won. */
export const Amount = Schema.Union([Won, numericText])

/** A field that may be absent in any of the provider's ways; read it with {@link orNull}. */
export const maybe = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(Schema.Union([schema, Schema.Null, Schema.Literal("")]))

/** What a field holds, or null in whichever way it is absent. */
export const orNull = <A>(value: A | null | "" | undefined): A | null =>
  value === undefined || value === null || value === "" ? null : value
