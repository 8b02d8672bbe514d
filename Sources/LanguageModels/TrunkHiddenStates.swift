package import Tensors

// The trunk: the blocks below the first trained one. Models over one trunk share what it makes of a sequence.

extension LanguageModel {
    /// The residual stream at the trunk's end, for `rewards` and `forwardRewards` of models over the same trunk: [N,
    /// D], rounded to the product type; where only the head is trained, fp32 of each sequence's last token alone, [S,
    /// D].
    ///
    /// The memory is used again by the next call. Reward passes round there whether or not states are kept.
    package func trunkStates(of sequences: PackedSequences) -> Tensor {
        precondition(trunkBlocks > 0, "every block is trained")
        workspace.recording = nil
        guard trunkBlocks < configuration.layers else {
            return trunkForward(sequences, rows: sequences.lastRows, recorded: false)
        }
        let rows = Array(0..<Int32(sequences.tokens.count))
        let residual = trunkForward(sequences, upTo: trunkBlocks, rows: rows, recorded: false)
        let states = workspace.trunkStates.tensor(residual.shape)
        states.copy(from: residual)
        return states
    }

    /// The type of `trunkStates`.
    package var trunkStateType: ElementType { trunkBlocks < configuration.layers ? precision.elementType : .float32 }

    /// How many rows `trunkStates` has for some sequences.
    package func trunkStateRows(of sequences: PackedSequences) -> Int {
        trunkBlocks < configuration.layers ? sequences.tokens.count : sequences.count
    }

    /// Whether both models read the same frozen trunk, and as much of it.
    func sharesTrunk(with other: LanguageModel) -> Bool {
        trunkIdentity === other.trunkIdentity && trunkBlocks == other.trunkBlocks
    }
}
