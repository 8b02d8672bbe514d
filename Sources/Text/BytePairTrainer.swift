package import Failures

/// Learns a byte-level BPE vocabulary from texts.
///
/// Sennrich, Haddow and Birch 2016, arXiv 1508.07909, algorithm 1. Ids: the special token 0, then the 256 bytes in the
/// order of their characters, then the merges as learned. The most frequent pair is merged first; ties go to the pair
/// with the lower left id, then the lower right id. These are the rules of `tokenizers`' `BpeTrainer`, whose vocabulary
/// for the same texts is the same.
package struct BytePairTrainer: Sendable {
    /// The only special token: it ends a text.
    package static let endOfText = "<|endoftext|>"

    /// Number of tokens to learn, the special token and the bytes included.
    package let vocabularySize: Int
    /// A pair that occurs less often is not merged; the vocabulary then stays smaller.
    package let minimumFrequency: Int

    /// States what to learn.
    ///
    /// - Throws: `Failure(.configuration)` for a size below 257, the special token and the bytes.
    package init(vocabularySize: Int, minimumFrequency: Int = 2) throws(Failure) {
        guard 257...Int(Int32.max) ~= vocabularySize else {
            throw Failure(.configuration, "a byte-level vocabulary has at least 257 tokens, not \(vocabularySize)")
        }
        self.vocabularySize = vocabularySize
        self.minimumFrequency = max(1, minimumFrequency)
    }

    /// Learns the vocabulary of some texts.
    package func train(on texts: some Sequence<String>) -> Tokenizer {
        var bytes: [[UInt8]] = [Array(Self.endOfText.utf8)]
        bytes += ByteAlphabet.bytesByCharacter.map { [$0] }
        var byteTokens = [Int32](repeating: 0, count: 256)
        for (i, byte) in ByteAlphabet.bytesByCharacter.enumerated() { byteTokens[Int(byte)] = Int32(i + 1) }

        var corpus = PairCounts(words: Self.countWords(in: texts, byteTokens))
        var idOfBytes: [[UInt8]: Int32] = [:]
        for (i, token) in bytes.enumerated() { idOfBytes[token] = Int32(i) }
        var merges = MergeTable(capacity: vocabularySize - bytes.count)
        while bytes.count < vocabularySize, let best = corpus.popMostFrequent(), best.count >= minimumFrequency {
            let merged = bytes[Int(best.left)] + bytes[Int(best.right)]
            // Two merges can spell the same token; it keeps its first id. The special token is never spelled.
            let token = idOfBytes[merged] ?? Int32(bytes.count)
            guard token != 0 else { continue }
            if Int(token) == bytes.count {
                bytes.append(merged)
                idOfBytes[merged] = token
            }
            merges.append(best.left, best.right, into: token)
            corpus.merge(best.left, best.right, into: token)
        }
        let special = AddedTokens.Token(id: 0, text: Self.endOfText, isSpecial: true)
        return Tokenizer(
            tokens: [Self.endOfText] + bytes.dropFirst().map { ByteAlphabet.encode($0) },
            bytes: bytes,
            addedTokens: AddedTokens([special]),
            scheme: ByteLevelBPE(byteTokens: byteTokens, merges: merges),
            endOfText: 0,
            beginningOfText: 0,
            location: "trained tokenizer"
        )
    }

    /// The distinct words of the texts as byte tokens, with how often each occurs, in order of first appearance.
    private static func countWords(
        in texts: some Sequence<String>,
        _ byteTokens: [Int32]
    ) -> [(tokens: [Int32], count: Int)] {
        var words: [(tokens: [Int32], count: Int)] = []
        var positions: [ArraySlice<UInt8>: Int] = [:]
        for text in texts {
            let bytes = Array(text.utf8)
            var start = 0
            while start < bytes.count {
                let end = WordSplit.gpt2.endOfWord(in: bytes, from: start)
                if let position = positions[bytes[start..<end]] {
                    words[position].count += 1
                } else {
                    // A copy of its own, so that the key does not keep the whole text alive.
                    positions[Array(bytes[start..<end])[...]] = words.count
                    words.append((bytes[start..<end].map { byteTokens[Int($0)] }, 1))
                }
                start = end
            }
        }
        return words
    }
}
