extension AdamW {
    /// The moments, in place, as vectors of a training state; with `step` they are all that an optimizer remembers.
    public var stateVectors: [StateVector] {
        [StateVector("first_moment", firstMoment), StateVector("second_moment", secondMoment)]
    }

    /// Goes on after moments that a saved state filled, as the optimizer that had made `step` updates.
    public func resume(step: Int) {
        restore(step: step, firstMoment: firstMoment, secondMoment: secondMoment)
    }
}
