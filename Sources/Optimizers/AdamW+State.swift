import Tensors

extension AdamW {
    /// The moments that this rank holds, in place, as vectors of a training state or parts of them; with `step` they are
    /// all that an optimizer remembers.
    public var stateVectors: [StateVector] {
        [("first_moment", firstMoment), ("second_moment", secondMoment)].flatMap { name, moment in
            if isReplicated { return [StateVector(name, moment)] }
            var place = 0
            return slice.map { piece in
                defer { place += piece.count }
                let part = moment.rows(place..<place + piece.count)
                return StateVector(name, part: part, from: piece.lowerBound, of: parameterCount)
            }
        }
    }

    /// Goes on after moments that a saved state filled, as the optimizer that had made `step` updates.
    public func resume(step: Int) {
        restore(step: step, firstMoment: firstMoment, secondMoment: secondMoment)
    }
}
