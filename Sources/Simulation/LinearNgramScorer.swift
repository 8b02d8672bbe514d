package import Failures
import Preferences
import StrictJSON

/// A linear model on words and word pairs: `score = bias + Σ weights[n]` over the distinct 1- and 2-grams `n` of a
/// text.
package struct LinearNgramScorer: Sendable {
    private let bias: Double
    private let weights: [String: Double]

    /// How many n-grams have a weight.
    package var count: Int { weights.count }

    /// Reads a scorer of `kind: linear-ngram`: lower-cased words of `[a-z']+`, 1- and 2-grams, each counted once.
    ///
    /// - Parameters:
    ///   - path: a JSON file with `kind`, `lowercase`, `token_pattern`, `ngrams`, `binary`, `bias` and `weights`.
    ///   - strongest: keep only so many n-grams, those with the largest absolute weight (ties by bytes); 0 keeps all.
    /// - Throws: `Failure` naming the file and the key that is missing, wrong or not supported.
    package init(contentsOfFile path: String, strongest: Int = 0) throws(Failure) {
        let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
        try require(fields.string("kind") == "linear-ngram", "kind", "\"linear-ngram\"", path)
        try require(fields.string("token_pattern") == "[a-z']+", "token_pattern", "\"[a-z']+\"", path)
        try require(fields.bool("lowercase"), "lowercase", "true", path)
        try require(fields.bool("binary"), "binary", "true", path)
        try require(fields.object["ngrams"] == [1, 2], "ngrams", "[1, 2]", path)
        bias = try fields.double("bias")
        let table = try JSONFields(fields.object["weights"] ?? .null, at: path, path: "weights")
        var ranked: [(ngram: String, weight: Double)] = []
        for (ngram, _) in table.object.members { ranked.append((ngram, try table.double(ngram))) }
        if strongest > 0, strongest < ranked.count {
            ranked.sort {
                $0.weight.magnitude != $1.weight.magnitude
                    ? $0.weight.magnitude > $1.weight.magnitude : precedes($0.ngram, $1.ngram)
            }
            ranked.removeLast(ranked.count - strongest)
        }
        // Only ASCII n-grams can occur in a text, and those have one spelling.
        weights = Dictionary(ranked.filter { $0.ngram.utf8.allSatisfy { $0 < 0x80 } }) { first, _ in first }
    }

    /// The score of a text, summed in the order in which its n-grams first occur.
    package func score(_ text: String) -> Double {
        let words = lowercasedWords(text)
        var seen: Set<String> = []
        var score = bias
        for index in words.indices {
            if seen.insert(words[index]).inserted { score += weights[words[index]] ?? 0 }
        }
        for index in words.indices.dropLast() {
            let pair = words[index] + " " + words[index + 1]
            if seen.insert(pair).inserted { score += weights[pair] ?? 0 }
        }
        return score
    }
}

private func require(_ holds: Bool, _ key: String, _ supported: String, _ path: String) throws(Failure) {
    guard holds else { throw Failure(.badData, "only '\(key)': \(supported) is supported", at: path) }
}
