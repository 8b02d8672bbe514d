import Tensors

/// Per-token results of a model and of another one, on the scored rows of the same sequences.
package struct ComparedScores: Equatable, Sendable {
    /// The model's own.
    package var own = TokenScores()
    /// log π_ref of the same tokens, π_ref the other model.
    package var reference: [Float] = []
    /// KL(π ‖ π_ref) of the next-token distributions at each scored row, summed over the vocabulary: its sum over the
    /// rows of a response sampled from π is the response's divergence, in nats, without the noise of which tokens were
    /// sampled.
    package var divergences: [Float] = []

    /// No rows.
    package init() {}
}

extension LanguageModel {
    /// Scores of the next token under this model and another one of the same vocabulary, at the given packed rows in
    /// ascending order.
    ///
    /// Nothing is recorded. The models may share a workspace.
    package func tokenScores(
        of sequences: PackedSequences,
        rows: [Int32],
        temperature: Float,
        against reference: LanguageModel
    ) -> ComparedScores {
        workspace.recording = nil
        reference.workspace.recording = nil
        var scores = ComparedScores()
        for (batch, rows) in batches(of: sequences, rows: rows) {
            compare(batch, rows: rows, temperature: temperature, with: reference, into: &scores)
        }
        return scores
    }

    /// One pass of each model, whose logits meet chunk by chunk.
    private func compare(
        _ batch: PackedSequences,
        rows: [Int32],
        temperature: Float,
        with reference: LanguageModel,
        into scores: inout ComparedScores
    ) {
        let targets = nextTokens(batch, rows: rows)
        let hidden = hiddenRows(of: trunkForward(batch, rows: rows, recorded: false))
        scores.own.values += values(hidden)
        // Apart from what the other model's pass works in.
        let own = workspace.comparedHidden.tensor(hidden.hidden.shape)
        own.copy(from: hidden.hidden)
        let referenceHidden = reference.hiddenRows(of: reference.trunkForward(batch, rows: rows, recorded: false))
        let other = inProductType(
            referenceHidden.hidden,
            reference.workspace.hiddenProduct.tensor(referenceHidden.hidden.shape)
        )
        let results = workspace.rowOutputs.indices.map { workspace.rowOutputs[$0].tensor([rows.count]) }
        let (logProbability, entropy, normalizer) = (results[0], results[1], results[2])
        let (referenceLogProbability, referenceNormalizer, divergences) = (results[3], results[4], results[5])
        for range in logitChunks(rows: rows.count) {
            let kept = workspace.comparedLogits.tensor([range.count, configuration.vocabularySize])
            multiply(own.rows(range), transposed: false, vocabularyWeight, transposed: true, into: kept)
            logProbabilitiesForward(
                logits: kept,
                targets: Array(targets[range]),
                temperature: temperature,
                logProbability: logProbability.rows(range),
                entropy: entropy.rows(range),
                logNormalizer: normalizer.rows(range)
            )
            let otherLogits = reference.logits(of: other, range, kept: nil)
            logProbabilitiesForward(
                logits: otherLogits,
                targets: Array(targets[range]),
                temperature: temperature,
                logProbability: referenceLogProbability.rows(range),
                // Nobody asks for the other's entropy; what it is written to is overwritten below.
                entropy: divergences.rows(range),
                logNormalizer: referenceNormalizer.rows(range)
            )
            divergence(
                logits: kept,
                logNormalizer: normalizer.rows(range),
                from: otherLogits,
                logNormalizer: referenceNormalizer.rows(range),
                temperature: temperature,
                into: divergences.rows(range)
            )
        }
        scores.own.logProbabilities += logProbability.array()
        scores.own.entropies += entropy.array()
        scores.reference += referenceLogProbability.array()
        scores.divergences += divergences.array()
    }
}
