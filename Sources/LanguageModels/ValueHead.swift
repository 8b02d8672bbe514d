import Tensors

// The value head, per token, with bias: v = hidden·w + b. R rows.

extension LanguageModel {
    /// The value head's output on each row; empty without a value head.
    func values(_ hidden: HiddenRows) -> [Float] {
        guard head == .value else { return [] }
        let scores = workspace.rowScalars.tensor([hidden.count, 1])
        multiply(hidden.hidden, transposed: false, value("value.weight"), transposed: true, into: scores)
        let bias = value("value.bias")[0]
        return scores.array().map { $0 + bias }
    }

    /// Adds to the value head's gradients, and dv·w to `dHidden` where the trunk is trained.
    func valuesBackward(_ dValues: [Float], hidden: HiddenRows, dHidden: Tensor?) {
        let dScores = workspace.rowScalars.tensor([dValues.count, 1])
        dScores.copy(from: dValues)
        multiply(dScores, transposed: true, hidden.hidden, into: gradient("value.weight"), accumulate: true)
        gradient("value.bias")[0] += Float(dValues.reduce(0.0) { $0 + Double($1) })
        if let dHidden {
            multiply(dScores, value("value.weight"), into: dHidden, accumulate: true)
        }
    }
}
