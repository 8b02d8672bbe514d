/// What each stage does, in order.
let recipes: [(stage: Stage, body: @Sendable (RunContext) throws -> Void)] = []
