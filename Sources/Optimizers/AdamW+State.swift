extension AdamW {
    /// The moments that this rank holds, in place, as vectors of a training state or parts of them; with `step` they are
    /// all that an optimizer remembers.
    public var stateVectors: [StateVector] {
        [("first_moment", firstMoment), ("second_moment", secondMoment)].map { name, moment in
            isReplicated
                ? StateVector(name, moment)
                : StateVector(name, part: moment, from: slice.lowerBound, of: parameterCount)
        }
    }

    /// Goes on after moments that a saved state filled, as the optimizer that had made `step` updates.
    public func resume(step: Int) {
        restore(step: step, firstMoment: firstMoment, secondMoment: secondMoment)
    }
}
