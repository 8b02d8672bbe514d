/// Sequences of any lengths laid end to end; no padding.
public struct PackedSequences: Equatable, Sendable {
    /// All tokens, N of them.
    public let tokens: [Int32]
    /// Where each sequence starts, and N last: S + 1 numbers.
    public let offsets: [Int32]

    /// Packs sequences; each must have at least one token.
    public init(_ sequences: [[Int32]]) {
        var tokens: [Int32] = []
        tokens.reserveCapacity(sequences.reduce(0) { $0 + $1.count })
        var offsets: [Int32] = [0]
        offsets.reserveCapacity(sequences.count + 1)
        for sequence in sequences {
            precondition(!sequence.isEmpty, "sequence \(offsets.count - 1) has no token")
            tokens += sequence
            offsets.append(Int32(tokens.count))
        }
        self.tokens = tokens
        self.offsets = offsets
    }

    private init(tokens: [Int32], offsets: [Int32]) {
        self.tokens = tokens
        self.offsets = offsets
    }

    /// How many sequences there are.
    public var count: Int { offsets.count - 1 }

    /// The packed rows of one sequence.
    public func rows(of sequence: Int) -> Range<Int> {
        Int(offsets[sequence])..<Int(offsets[sequence + 1])
    }

    /// The packed row of each sequence's last token.
    public var lastRows: [Int32] {
        offsets.dropFirst().map { $0 - 1 }
    }

    /// Each token's place in its own sequence, from 0.
    var positions: [Int32] {
        var positions: [Int32] = []
        positions.reserveCapacity(tokens.count)
        for sequence in 0..<count {
            positions.append(contentsOf: 0..<(offsets[sequence + 1] - offsets[sequence]))
        }
        return positions
    }

    /// For each token a number that follows from its sequence's tokens up to it (FNV-1a over tokens): random choices keyed by it do
    /// not depend on what else is packed.
    var prefixHashes: [UInt64] {
        (0..<count).flatMap { sequence in
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            return tokens[rows(of: sequence)].map { token in
                hash = (hash ^ UInt64(UInt32(bitPattern: token))) &* 0x0000_0100_0000_01B3
                return hash
            }
        }
    }

    /// Some of the sequences, packed alike.
    func sequences(_ range: Range<Int>) -> PackedSequences {
        let start = offsets[range.lowerBound]
        return PackedSequences(
            tokens: Array(tokens[Int(start)..<Int(offsets[range.upperBound])]),
            offsets: offsets[range.lowerBound...range.upperBound].map { $0 - start }
        )
    }

    /// Consecutive runs of sequences of at most `tokenLimit` tokens each, or of one longer sequence.
    func batches(of tokenLimit: Int) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var start = 0
        for sequence in 0..<count where Int(offsets[sequence + 1] - offsets[start]) > tokenLimit && sequence > start {
            batches.append(start..<sequence)
            start = sequence
        }
        if start < count {
            batches.append(start..<count)
        }
        return batches
    }
}
