/** Services that a group of handlers needs, taken while the group is built. */
import { Context, Effect, Scope } from "effect"

/**
 * Takes the services now and answers a function that gives them to an effect.
 *
 * A service that is asked for inside a handler would become a requirement of every request.
 */
export const captured = <R>() =>
  Effect.map(Effect.context<R>(), (context) => {
    const services = Context.omit(Scope.Scope)(context)
    return <A, E, R2>(effect: Effect.Effect<A, E, R2>): Effect.Effect<A, E, Exclude<R2, Exclude<R, Scope.Scope>>> =>
      Effect.provideContext(effect, services)
  })
