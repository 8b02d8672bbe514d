package import Tensors

// The reward heads, per sequence, no bias: r_u = head_u · hidden state of the sequence's last token.

/// Consecutive sequences of a pass that belong to one of several reward models over the same frozen trunk, or to one of
/// a model's heads.
package struct RewardRun {
    let model: LanguageModel
    let head: Int
    let sequences: Range<Int>

    /// States whose sequences these are.
    package init(_ model: LanguageModel, head: Int = 0, sequences: Range<Int>) {
        self.model = model
        self.head = head
        self.sequences = sequences
    }
}

/// Rewards of sequences under several models, all models' heads × sequences; what the trunk makes of a sequence is
/// computed once where all models share it.
package func rewards(of sequences: PackedSequences, under models: [LanguageModel]) -> [[Float]] {
    var rewards = Array(repeating: [Float](), count: models.reduce(0) { $0 + $1.rewardHeads })
    let areTogether = models.allSatisfy { $0.trunkBlocks > 0 && $0.sharesTrunk(with: models[0]) }
    for range in sequences.batches(of: models.first?.inferenceTokens ?? 1) {
        let batch = sequences.sequences(range)
        let ofBatch =
            areTogether
            ? LanguageModels.rewards(of: batch, from: models[0].trunkStates(of: batch), under: models)
            : models.flatMap { $0.rewards(ofPass: batch) }
        for (index, some) in ofBatch.enumerated() { rewards[index] += some }
    }
    return rewards
}

/// The same of one pass, from the states of the trunk that all models share.
///
/// What the next block makes of them before the first adapter is computed once too.
package func rewards(of sequences: PackedSequences, from states: Tensor, under models: [LanguageModel]) -> [[Float]] {
    guard let first = models.first, sequences.count > 0 else {
        return models.flatMap { Array(repeating: [], count: $0.rewardHeads) }
    }
    precondition(models.allSatisfy { $0.sharesTrunk(with: first) }, "the models share no trunk")
    let isShared = models.count > 1 && first.trunkBlocks < first.configuration.layers
    let start = isShared ? first.sharedQKV(of: sequences, from: states) : nil
    return models.flatMap { $0.rewards(ofPass: sequences, from: states, start: start) }
}

extension LanguageModel {
    /// How many rewards it gives a sequence.
    package var rewardHeads: Int { head.rewardCount }

    /// Reward of each sequence, by the first head.
    ///
    /// Nothing is recorded.
    package func rewards(of sequences: PackedSequences) -> [Float] {
        LanguageModels.rewards(of: sequences, under: [self])[0]
    }

    /// Rewards of one pass, heads × sequences, from what is known of the trunk's states and of the next block's start.
    fileprivate func rewards(
        ofPass sequences: PackedSequences,
        from states: Tensor? = nil,
        start: SharedQKV? = nil
    ) -> [[Float]] {
        workspace.recording = nil
        guard sequences.count > 0 else { return Array(repeating: [], count: rewardHeads) }
        func runs(_ head: Int) -> [ModelRun] {
            modelRuns([RewardRun(self, head: head, sequences: 0..<sequences.count)], sequences)
        }
        let hidden = rewardRows(sequences, from: states, start: start, runs: runs(0), recorded: false)
        return (0..<rewardHeads).map { rewards(hidden, runs($0)) }
    }

    /// Reward of each sequence by the first head, recorded for `backwardRewards`.
    package func forwardRewards(_ sequences: PackedSequences, from states: Tensor? = nil) -> [Float] {
        forwardRewards(sequences, from: states, runs: [RewardRun(self, sequences: 0..<sequences.count)])
    }

    /// The same for sequences of several models over this model's trunk, or of several of its heads: every product with
    /// the trunk's matrices is one over all sequences, and each run's adapters and head are applied to its own.
    ///
    /// The runs cover the sequences in order.
    package func forwardRewards(
        _ sequences: PackedSequences,
        from states: Tensor? = nil,
        runs: [RewardRun]
    ) -> [Float] {
        precondition(
            runs.allSatisfy { $0.model === self || frozen != nil && $0.model.sharesTrunk(with: self) },
            "the models of one pass share a frozen trunk"
        )
        precondition(
            runs.allSatisfy { $0.model.adapters?.rank == adapters?.rank },
            "the adapters of one pass have one rank"
        )
        workspace.recording = nil
        guard sequences.count > 0 else { return [] }
        let runs = modelRuns(runs, sequences)
        let hidden = rewardRows(sequences, from: states, runs: runs, recorded: trainable != .head)
        workspace.recording = Recording(
            model: ObjectIdentifier(self),
            sequences: sequences,
            rows: sequences.lastRows,
            hidden: hidden,
            runs: runs,
            next: nil
        )
        return rewards(hidden, runs)
    }

    /// What the heads read of each sequence of one pass, sequences × width, and each sequence's reward by one of them.
    ///
    /// Nothing is recorded.
    package func headStates(
        of sequences: PackedSequences,
        from states: Tensor? = nil,
        head: Int = 0
    ) -> (states: [Float], rewards: [Float]) {
        workspace.recording = nil
        guard sequences.count > 0 else { return ([], []) }
        let runs = modelRuns([RewardRun(self, head: head, sequences: 0..<sequences.count)], sequences)
        let hidden = rewardRows(sequences, from: states, runs: runs, recorded: false)
        return (hidden.hidden.array(), rewards(hidden, runs))
    }

    /// Adds to the gradients of all models of the recorded pass, given d loss / d reward of each sequence.
    package func backwardRewards(_ dRewards: [Float]) {
        guard !dRewards.isEmpty else { return }
        guard let recording = takeRecording(), recording.next == nil, recording.rows.count == dRewards.count else {
            preconditionFailure("backwardRewards must follow forwardRewards of as many sequences")
        }
        let hidden = recording.hidden.hidden
        let dScores = workspace.rowScalars.tensor([dRewards.count, 1])
        dScores.copy(from: dRewards)
        for run in recording.runs {
            let (dScores, hidden) = (dScores.rows(run.rows.read), hidden.rows(run.rows.read))
            let gradient = run.model.gradient("score.weight").rows(run.rewardHead..<run.rewardHead + 1)
            multiply(dScores, transposed: true, hidden, into: gradient, accumulate: true)
        }
        guard trainable != .head else { return }
        let dHidden = workspace.dHidden.tensor(hidden.shape)
        for run in recording.runs {
            multiply(dScores.rows(run.rows.read), run.rewardWeights, into: dHidden.rows(run.rows.read))
        }
        hiddenRowsBackward(recording, dHidden: dHidden)
    }

    private func rewardRows(
        _ sequences: PackedSequences,
        from given: Tensor?,
        start: SharedQKV? = nil,
        runs: [ModelRun],
        recorded: Bool
    ) -> HiddenRows {
        let states = trunkBlocks > 0 ? given ?? trunkStates(of: sequences) : nil
        if let states, trunkBlocks == configuration.layers { return hiddenRows(of: states) }
        let rows = sequences.lastRows
        return hiddenRows(
            of: trunkForward(sequences, from: states, start: start, rows: rows, runs: runs, recorded: recorded)
        )
    }

    private func rewards(_ hidden: HiddenRows, _ runs: [ModelRun]) -> [Float] {
        let scores = workspace.rowScalars.tensor([hidden.count, 1])
        for run in runs {
            precondition(run.rewardHead < run.model.rewardHeads, "the model has no such reward head")
            multiply(
                hidden.hidden.rows(run.rows.read),
                transposed: false,
                run.rewardWeights,
                transposed: true,
                into: scores.rows(run.rows.read)
            )
        }
        return scores.array()
    }

    private func modelRuns(_ runs: [RewardRun], _ sequences: PackedSequences) -> [ModelRun] {
        runs.map { run in
            let (first, end) = (run.sequences.lowerBound, run.sequences.upperBound)
            precondition(sequences.isWhole(first), "the runs of a pass share no tokens")
            let tokens = Int(sequences.offsets[first])..<Int(sequences.offsets[end])
            let rows = AdaptedRows(all: tokens, read: run.sequences)
            return ModelRun(model: run.model, rows: rows, rewardHead: run.head)
        }
    }
}

extension ModelRun {
    /// [1, D].
    fileprivate var rewardWeights: Tensor { model.value("score.weight").rows(rewardHead..<rewardHead + 1) }
}
