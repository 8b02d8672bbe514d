import Tensors

// The reward head (per sequence, no bias) and the value head (per token, with bias): s = hidden·w (+ b). R rows.

/// Tokens of one unrecorded pass at most, unless one sequence is longer: bounds memory, not results.
let passingTokens = 8192

extension LanguageModel {
    /// Reward of each sequence: head · hidden state of its last token.
    ///
    /// Nothing is recorded.
    public func rewards(of sequences: PackedSequences) -> [Float] {
        recording = nil
        return sequences.batches(of: passingTokens).flatMap { range in
            let batch = sequences.sequences(range)
            return rewards(hiddenRows(of: trunkForward(batch, recorded: false), rows: batch.lastRows))
        }
    }

    /// The same, recorded for `backwardRewards`.
    public func forwardRewards(_ sequences: PackedSequences) -> [Float] {
        recording = nil
        guard sequences.count > 0 else { return [] }
        let residual = trunkForward(sequences, recorded: trainable != .head)
        let hidden = hiddenRows(of: residual, rows: sequences.lastRows)
        recording = Recording(sequences: sequences, hidden: hidden, next: nil)
        return rewards(hidden)
    }

    /// Adds to the gradients, given d loss / d reward of each sequence.
    public func backwardRewards(_ dRewards: [Float]) {
        guard !dRewards.isEmpty else { return }
        guard let recording, recording.next == nil, recording.hidden.rows.count == dRewards.count else {
            preconditionFailure("backwardRewards must follow forwardRewards of as many sequences")
        }
        self.recording = nil
        let hidden = recording.hidden
        let dScores = workspace.rowScalars.tensor([dRewards.count, 1])
        dScores.copy(from: dRewards)
        multiply(dScores, transposed: true, hidden.hidden, into: gradient("score.weight"), accumulate: true)
        guard trainable != .head else { return }
        let dHidden = workspace.dHidden.tensor(hidden.hidden.shape)
        multiply(dScores, value("score.weight"), into: dHidden)
        hiddenRowsBackward(hidden, dHidden: dHidden, sequences: recording.sequences)
    }

    private func rewards(_ hidden: HiddenRows) -> [Float] {
        precondition(head == .reward, "the model has no reward head")
        let scores = workspace.rowScalars.tensor([hidden.rows.count, 1])
        multiply(hidden.hidden, transposed: false, value("score.weight"), transposed: true, into: scores)
        return scores.array()
    }

    /// The value head's output on each row; empty without a value head.
    func values(_ hidden: HiddenRows) -> [Float] {
        guard head == .value else { return [] }
        let scores = workspace.rowScalars.tensor([hidden.rows.count, 1])
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
