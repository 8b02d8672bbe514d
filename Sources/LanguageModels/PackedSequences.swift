import Randomness
package import Tensors

/// Sequences of any lengths laid end to end; no padding.
///
/// Sequences that follow each other and begin alike may share that prefix: the first has all its tokens, and each other
/// one only those from where it parts from the first.
package struct PackedSequences: Equatable, Sendable {
    /// All tokens, N of them.
    package let tokens: [Int32]
    /// Where each sequence is among them.
    package let layout: PackedLayout
    /// How many tokens of each sequence are its prompt; empty where they were not packed as responses.
    package private(set) var promptLengths: [Int] = []

    /// Packs sequences that share nothing; each must have at least one token.
    package init(_ sequences: [[Int32]]) {
        self.init(sequences, sharing: Array(repeating: 0, count: sequences.count))
    }

    /// Packs sequences, of which each has its first `sharing` tokens in common with the last one before it that shares
    /// none; all that share with one share equally many.
    ///
    /// Each must have at least one token of its own.
    package init(_ sequences: [[Int32]], sharing: [Int]) {
        precondition(sharing.count == sequences.count, "\(sharing.count) numbers for \(sequences.count) sequences")
        precondition(
            zip(sharing, sharing.dropFirst()).allSatisfy { $0 == 0 || $1 == 0 || $0 == $1 },
            "sequences with one prefix share \(sharing) tokens"
        )
        var tokens: [Int32] = []
        tokens.reserveCapacity(sequences.reduce(0) { $0 + $1.count })
        var offsets: [Int32] = [0]
        offsets.reserveCapacity(sequences.count + 1)
        var first: [Int32] = []
        for (sequence, shared) in zip(sequences, sharing) {
            precondition(sequence.count > shared, "sequence \(offsets.count - 1) has no token of its own")
            if shared == 0 { first = sequence }
            precondition(sequence[..<shared] == first.prefix(shared), "sequence \(offsets.count - 1) begins otherwise")
            tokens += sequence[shared...]
            offsets.append(Int32(tokens.count))
        }
        self.init(tokens: tokens, PackedLayout(offsets: offsets, prefixLengths: sharing.map(Int32.init)))
    }

    /// Packs responses after their prompts; those to one prompt that follow each other share it, but for its last
    /// token, whose row predicts the first one of each response.
    package init(_ sequences: [[Int32]], promptLengths: [Int]) {
        var first = 0
        let sharing = sequences.indices.map { index in
            let prompt = sequences[index].prefix(promptLengths[index])
            guard index > first, prompt == sequences[first].prefix(promptLengths[first]) else {
                first = index
                return 0
            }
            return prompt.isEmpty ? 0 : prompt.count - 1
        }
        self.init(sequences, sharing: sharing)
        self.promptLengths = promptLengths
    }

    private init(tokens: [Int32], _ layout: PackedLayout) {
        self.tokens = tokens
        self.layout = layout
    }

    /// Where each sequence's own rows start, and N last: S + 1 numbers.
    package var offsets: [Int32] { layout.offsets }

    /// The packed rows of one sequence's own tokens.
    package func rows(of sequence: Int) -> Range<Int> {
        Int(offsets[sequence])..<Int(offsets[sequence + 1])
    }

    /// All tokens of a sequence, those that it shares first.
    package func tokens(of sequence: Int) -> [Int32] {
        Array(sharedTokens(of: sequence) + tokens[rows(of: sequence)])
    }

    /// How many tokens a sequence has, with those that it shares.
    package func length(of sequence: Int) -> Int { shared(by: sequence) + rows(of: sequence).count }

    /// The rows that predict a sequence's tokens from `token` on, which must be its own, as must be the one before
    /// them.
    package func rows(predicting sequence: Int, from token: Int) -> Range<Int32> {
        precondition(token > shared(by: sequence), "the row before token \(token) of sequence \(sequence) is shared")
        return start(of: sequence) + Int32(token) - 1..<offsets[sequence + 1] - 1
    }

    /// The rows that predict some tokens of each sequence: ascending ranges of them, from 1 on, that are its own.
    package func rows(predicting tokens: [[Range<Int>]]) -> [Int32] {
        tokens.enumerated().flatMap { sequence, ranges in
            ranges.flatMap { range in
                precondition(range.lowerBound > shared(by: sequence), "token \(range.lowerBound) has no row before it")
                return start(of: sequence) + Int32(range.lowerBound) - 1..<start(of: sequence) + Int32(range.upperBound)
                    - 1
            }
        }
    }

    /// Every row of a sequence's own that has a next token.
    package var predictingRows: [Int32] {
        indices.flatMap { rows(predicting: $0, from: shared(by: $0) + 1) }
    }

    /// The packed row of each sequence's last token.
    package var lastRows: [Int32] {
        offsets.dropFirst().map { $0 - 1 }
    }

    /// Each token's place in its own sequence, from 0.
    var positions: [Int32] {
        var positions: [Int32] = []
        positions.reserveCapacity(tokens.count)
        for sequence in 0..<count {
            positions.append(contentsOf: layout.prefixLengths[sequence]..<Int32(length(of: sequence)))
        }
        return positions
    }

    /// For each token a number that follows from its sequence's tokens up to it (FNV-1a over tokens): random choices
    /// keyed by it do not depend on what else is packed.
    var prefixHashes: [UInt64] {
        var hashes: [UInt64] = []
        hashes.reserveCapacity(tokens.count)
        var first = 0
        for sequence in 0..<count {
            let shared = shared(by: sequence)
            if shared == 0 { first = Int(offsets[sequence]) }
            var hash = shared == 0 ? FNV1a() : FNV1a(hashes[first + shared - 1])
            for token in tokens[rows(of: sequence)] {
                hash.add(CollectionOfOne(UInt32(bitPattern: token)))
                hashes.append(hash.value)
            }
        }
        return hashes
    }

    /// Some of the sequences, packed alike; row i of theirs is row start(of: range.lowerBound) + i of these.
    ///
    /// Where that cuts sequences that share a prefix, the first that is left of them has all its tokens.
    func sequences(_ range: Range<Int>) -> PackedSequences {
        let first = range.lowerBound
        var prefixLengths = layout.prefixLengths[range]
        prefixLengths[first] = 0
        return PackedSequences(
            tokens: sharedTokens(of: first) + tokens[Int(offsets[first])..<Int(offsets[range.upperBound])],
            PackedLayout(
                offsets: [0] + offsets[first + 1...range.upperBound].map { $0 - start(of: first) },
                prefixLengths: Array(prefixLengths)
            )
        )
    }

    /// Consecutive runs of sequences of at most `tokenLimit` tokens each, or of one longer sequence.
    package func batches(of tokenLimit: Int) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var first = 0
        for sequence in 0..<count
        where Int(offsets[sequence + 1] - start(of: first)) > tokenLimit && sequence > first {
            batches.append(first..<sequence)
            first = sequence
        }
        if first < count {
            batches.append(first..<count)
        }
        return batches
    }

    /// Whether a sequence has all its tokens.
    func isWhole(_ sequence: Int) -> Bool { sequence == count || shared(by: sequence) == 0 }

    /// The row that a sequence's first token would have if all its tokens lay before the next sequence.
    func start(of sequence: Int) -> Int32 { offsets[sequence] - layout.prefixLengths[sequence] }

    private func shared(by sequence: Int) -> Int { Int(layout.prefixLengths[sequence]) }

    /// The prefix that a sequence shares.
    private func sharedTokens(of sequence: Int) -> [Int32] {
        let owner = layout.prefixLengths[...sequence].lastIndex(of: 0) ?? 0
        return Array(tokens[Int(offsets[owner])...].prefix(shared(by: sequence)))
    }
}

/// The sequences, each with all its tokens.
extension PackedSequences: RandomAccessCollection {
    /// 0.
    package var startIndex: Int { 0 }
    /// How many sequences there are.
    package var endIndex: Int { offsets.count - 1 }

    /// All tokens of a sequence.
    package subscript(sequence: Int) -> [Int32] { sharedTokens(of: sequence) + tokens[rows(of: sequence)] }
}
