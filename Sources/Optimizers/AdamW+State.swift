package import Tensors

extension AdamW {
    /// The moments that this rank holds, in place, as vectors of a training state or parts of them; with `step` they
    /// are all that an optimizer remembers.
    package var stateVectors: [StateVector] {
        vectors("first_moment", ofSlice: firstMoment) + vectors("second_moment", ofSlice: secondMoment)
    }

    /// The parameters of this rank's slice, in place, alike.
    package func parameterVectors(_ name: String) -> [StateVector] {
        if isReplicated { return [StateVector(name, parameters)] }
        return slice.map {
            StateVector(name, part: parameters.rows($0), from: $0.lowerBound, of: parameters.count)
        }
    }

    /// Numbers of this rank's slice, which lie end to end, alike.
    package func vectors(_ name: String, ofSlice values: Tensor) -> [StateVector] {
        if isReplicated { return [StateVector(name, values)] }
        return zip(slice, places).map { piece, range in
            StateVector(name, part: values.rows(range), from: piece.lowerBound, of: parameters.count)
        }
    }

    /// A copy of the slice's parameters, end to end.
    package func copiedSlice() -> Tensor {
        let copy = Tensor(zeros: [firstMoment.count])
        copySlice(into: copy)
        return copy
    }

    /// Copies the slice's parameters, end to end.
    package func copySlice(into copy: Tensor) {
        for (piece, range) in zip(slice, places) { copy.rows(range).copy(from: parameters.rows(piece)) }
    }

    /// Puts copied parameters of the slice back; other ranks have them after `gatherParameters`.
    package func restoreSlice(from copy: Tensor) {
        for (piece, range) in zip(slice, places) { parameters.rows(piece).copy(from: copy.rows(range)) }
    }

    /// Goes on after moments that a saved state filled, as the optimizer that had made `step` updates.
    package func resume(step: Int) {
        restore(step: step, firstMoment: firstMoment, secondMoment: secondMoment)
    }

    /// Where each piece of the slice lies among numbers of the slice.
    private var places: [Range<Int>] {
        var end = 0
        return slice.map { piece in
            defer { end += piece.count }
            return end..<end + piece.count
        }
    }
}
