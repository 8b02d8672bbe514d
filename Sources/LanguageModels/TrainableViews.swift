package import Tensors

/// The part of a model that an optimizer changes: views of `trainableRange` of the flat vectors.
extension LanguageModel {
    /// The trained values. [T]
    package var trainableValues: Tensor {
        parameters.values.view(at: trainableRange.lowerBound, shape: [trainableRange.count])
    }

    /// Their gradients. [T]
    package var trainableGradients: Tensor {
        parameters.gradients.view(at: trainableRange.lowerBound, shape: [trainableRange.count])
    }

    /// Which of the trained values weight decay applies to, in order, counted from the start of `trainableValues`.
    package var decayingRanges: [Range<Int>] {
        parameters.decayingRanges(within: trainableRange)
    }
}
