import Tensors

// The value heads, per token, with biases: v = hidden·Wᵀ + b. R rows, H heads.

extension LanguageModel {
    /// The value heads' outputs on each row, [R·H], those of a row together; empty without a value head.
    func values(_ hidden: HiddenRows) -> [Float] {
        let count = head.valueCount
        guard count > 0 else { return [] }
        let scores = workspace.rowScalars.tensor([hidden.count, count])
        multiply(hidden.hidden, transposed: false, value("value.weight"), transposed: true, into: scores)
        let biases = value("value.bias").array()
        return zip(0..., scores.array()).map { $1 + biases[$0 % count] }
    }

    /// Adds to the value heads' gradients, and dv·W to `dHidden` where the trunk is trained; dValues [R·H].
    func valuesBackward(_ dValues: [Float], hidden: HiddenRows, dHidden: Tensor?) {
        let count = head.valueCount
        let dScores = workspace.rowScalars.tensor([dValues.count / count, count])
        dScores.copy(from: dValues)
        multiply(dScores, transposed: true, hidden.hidden, into: gradient("value.weight"), accumulate: true)
        let dBiases = gradient("value.bias")
        for index in 0..<count {
            let own = stride(from: index, to: dValues.count, by: count)
            dBiases[index] += Float(own.reduce(0.0) { $0 + Double(dValues[$1]) })
        }
        if let dHidden {
            multiply(dScores, value("value.weight"), into: dHidden, accumulate: true)
        }
    }
}
