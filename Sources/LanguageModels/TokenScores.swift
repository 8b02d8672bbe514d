import Tensors

/// Per-token results on the scored rows of a forward pass.
package struct TokenScores: Equatable, Sendable {
    /// log π(token i+1 | tokens ≤ i) for each scored row i.
    package var logProbabilities: [Float] = []
    /// Entropy of the next-token distribution at each scored row.
    package var entropies: [Float] = []
    /// The value heads' outputs at each scored row, those of a row together; empty without a value head.
    package var values: [Float] = []

    /// No rows.
    package init() {}
}

extension LanguageModel {
    /// Elements of a recorded pass's logits that are kept for its backward pass (1 GiB); more are computed again.
    static let keptLogits = 1 << 28
    /// Elements of logits that are worked on at a time otherwise.
    static let logitsAtATime = 1 << 24

    /// Scores of the next token at the given packed rows (row i predicts token i+1 of its sequence), in ascending
    /// order.
    ///
    /// Nothing is recorded.
    package func tokenScores(of sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores {
        workspace.recording = nil
        var scores = TokenScores()
        for (batch, rows) in batches(of: sequences, rows: rows) {
            let targets = nextTokens(batch, rows: rows)
            let hidden = hiddenRows(of: trunkForward(batch, rows: rows, recorded: false))
            let part = tokenScores(hidden, targets: targets, temperature: temperature, keepsLogits: false)
            scores.logProbabilities += part.logProbabilities
            scores.entropies += part.entropies
            scores.values += part.values
        }
        return scores
    }

    /// Sequences in passes of `inferenceTokens`, each with its rows of `rows`, which ascend.
    ///
    /// Passes without rows are left out.
    func batches(of sequences: PackedSequences, rows: [Int32]) -> [(batch: PackedSequences, rows: [Int32])] {
        var next = 0
        return sequences.batches(of: inferenceTokens).compactMap { range in
            let first = next
            while next < rows.count, rows[next] < sequences.offsets[range.upperBound] { next += 1 }
            guard next > first else { return nil }
            let start = sequences.start(of: range.lowerBound)
            return (sequences.sequences(range), rows[first..<next].map { $0 - start })
        }
    }

    /// The same, recorded for `backwardTokenScores`.
    package func forwardTokenScores(_ sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores {
        workspace.recording = nil
        guard !rows.isEmpty else { return TokenScores() }
        let targets = nextTokens(sequences, rows: rows)
        let hidden = hiddenRows(of: trunkForward(sequences, rows: rows, recorded: trainable != .head))
        let own = AdaptedRows(all: 0..<sequences.tokens.count, read: 0..<rows.count)
        workspace.recording = Recording(
            model: ObjectIdentifier(self),
            sequences: sequences,
            rows: rows,
            hidden: hidden,
            runs: [ModelRun(model: self, rows: own)],
            next: (targets, temperature)
        )
        return tokenScores(
            hidden,
            targets: targets,
            temperature: temperature,
            keepsLogits: keepsLogits(rows: rows.count)
        )
    }

    /// Adds to the gradients, given d loss / d log-probability and d loss / d value at each scored row.
    ///
    /// `dValues` may be empty. Where only the head is trained, log-probabilities have no gradient.
    package func backwardTokenScores(dLogProbabilities: [Float], dValues: [Float]) {
        guard !dLogProbabilities.isEmpty || !dValues.isEmpty else { return }
        guard let recording = takeRecording(), let next = recording.next,
            recording.rows.count == dLogProbabilities.count,
            dValues.isEmpty || dValues.count == head.valueCount * dLogProbabilities.count
        else {
            preconditionFailure("backwardTokenScores must follow forwardTokenScores of as many rows")
        }
        let hidden = recording.hidden
        guard trainable != .head else {
            if !dValues.isEmpty {
                valuesBackward(dValues, hidden: hidden, dHidden: nil)
            }
            return
        }
        let dHidden = workspace.dHidden.tensor(hidden.hidden.shape)
        logProbabilitiesBackward(
            dLogProbabilities,
            hidden: hidden,
            targets: next.targets,
            temperature: next.temperature,
            dHidden: dHidden
        )
        if !dValues.isEmpty {
            valuesBackward(dValues, hidden: hidden, dHidden: dHidden)
        }
        hiddenRowsBackward(recording, dHidden: dHidden)
    }

    /// The vocabulary product, logits = hidden·Wᵀ, chunk by chunk, and what is read off it.
    private func tokenScores(
        _ hidden: HiddenRows,
        targets: [Int32],
        temperature: Float,
        keepsLogits: Bool
    ) -> TokenScores {
        let count = hidden.count
        let product = inProductType(hidden.hidden, workspace.hiddenProduct.tensor(hidden.hidden.shape))
        let logProbability = workspace.rowOutputs[0].tensor([count])
        let entropy = workspace.rowOutputs[1].tensor([count])
        let logNormalizer = workspace.rowOutputs[2].tensor([count])
        let kept = keepsLogits ? workspace.logits.tensor([count, configuration.vocabularySize]) : nil
        for range in logitChunks(rows: count) {
            let logits = logits(of: product, range, kept: kept)
            logProbabilitiesForward(
                logits: logits,
                targets: Array(targets[range]),
                temperature: temperature,
                logProbability: logProbability.rows(range),
                entropy: entropy.rows(range),
                logNormalizer: logNormalizer.rows(range)
            )
        }
        var scores = TokenScores()
        scores.logProbabilities = logProbability.array()
        scores.entropies = entropy.array()
        scores.values = values(hidden)
        return scores
    }

    /// Writes `dHidden` and, where the trunk is trained, adds to the vocabulary matrix's gradient.
    private func logProbabilitiesBackward(
        _ dLogProbabilities: [Float],
        hidden: HiddenRows,
        targets: [Int32],
        temperature: Float,
        dHidden: Tensor
    ) {
        let count = hidden.count
        let vocabulary = configuration.vocabularySize
        let weight = vocabularyWeight
        let weightGradient = trunkGradient(configuration.vocabularyName)
        let product = precision == .float32 ? hidden.hidden : workspace.hiddenProduct.tensor(hidden.hidden.shape)
        let logNormalizer = workspace.rowOutputs[2].tensor([count])
        let dLogProbability = workspace.rowOutputs[0].tensor([count])
        dLogProbability.copy(from: dLogProbabilities)
        let kept = keepsLogits(rows: count) ? workspace.logits.tensor([count, vocabulary]) : nil
        for range in logitChunks(rows: count) {
            let logits =
                kept.map { $0.rows(range) } ?? logits(of: product, range, kept: nil)
            let dLogits = precision == .float32 ? logits : workspace.dLogits.tensor([range.count, vocabulary])
            Tensors.logProbabilitiesBackward(
                logits: logits,
                targets: Array(targets[range]),
                temperature: temperature,
                logNormalizer: logNormalizer.rows(range),
                dlogp: dLogProbability.rows(range),
                into: dLogits
            )
            multiply(dLogits, weight, into: dHidden.rows(range))
            if let weightGradient {
                multiply(dLogits, transposed: true, product.rows(range), into: weightGradient, accumulate: true)
            }
        }
    }

    /// Whether the logits of the token after each sequence are all finite; nothing is laid out for it, as for sampling.
    package func hasFiniteLogits(after sequences: [[Int32]]) -> Bool {
        workspace.recording = nil
        let packed = PackedSequences(sequences)
        return batches(of: packed, rows: packed.lastRows).allSatisfy { batch, rows in
            let hidden = hiddenRows(of: trunkForward(batch, rows: rows, recorded: false))
            let product = inProductType(hidden.hidden, workspace.hiddenProduct.tensor(hidden.hidden.shape))
            return logitChunks(rows: hidden.count).allSatisfy {
                nonFiniteCount(logits(of: product, $0, kept: nil)) == 0
            }
        }
    }

    /// Logits of some rows, [rows, V]: into their place among the kept ones, or into a buffer for this chunk.
    func logits(of product: Tensor, _ range: Range<Int>, kept: Tensor?) -> Tensor {
        let logits = kept?.rows(range) ?? workspace.logits.tensor([range.count, configuration.vocabularySize])
        multiply(product.rows(range), transposed: false, vocabularyWeight, transposed: true, into: logits)
        return logits
    }

    private func keepsLogits(rows: Int) -> Bool {
        trainable != .head && rows * configuration.vocabularySize <= Self.keptLogits
    }

    func logitChunks(rows: Int) -> [Range<Int>] {
        let size = max(1, Self.logitsAtATime / configuration.vocabularySize)
        return stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
    }

    func nextTokens(_ sequences: PackedSequences, rows: [Int32]) -> [Int32] {
        let lastRows = Set(sequences.lastRows)
        var previous: Int32 = -1
        return rows.map { row in
            precondition(row > previous, "scored rows must ascend: \(row) after \(previous)")
            precondition(!lastRows.contains(row), "row \(row) is its sequence's last")
            previous = row
            return sequences.tokens[Int(row) + 1]
        }
    }
}
