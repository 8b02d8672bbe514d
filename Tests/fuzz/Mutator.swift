#if DEBUG

/// Inputs made from a corpus: each is a function of the seed and its number, so that one that was found can be made
/// again.
struct Mutator {
    /// The corpus of a parser; never empty.
    let corpus: [Input]
    private let seed: UInt64
    /// What a format is made of, and the words that the corpus holds.
    private let tokens: [[UInt8]]

    /// Inputs are no longer than this, or a parser that takes linear time takes long.
    private static let limit = 1 << 18

    init(_ corpus: [Input], seed: UInt64) {
        self.corpus = corpus
        self.seed = seed
        let words = Set(
            corpus.flatMap { input in
                input.bytes.split { !isWord($0) }.filter { (2...32).contains($0.count) }.prefix(2000).map(Array.init)
            }
        )
        tokens = structure.map { Array($0.utf8) } + malformed + words.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// The input of a number: first the corpus as it is, then changes of it.
    func input(_ number: Int) -> Input {
        guard number >= corpus.count else { return corpus[number] }
        var random = SplitMix(state: seed &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
        var input = corpus[random.below(corpus.count)]
        // Mostly few changes: many of them leave nothing that a parser would go into.
        for _ in 0...random.below(1 << random.below(4)) { change(&input.bytes, &random) }
        input.bytes = Array(input.bytes.prefix(Self.limit))
        return input
    }

    private func change(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        let at = random.below(bytes.count + 1)
        let range = at..<min(bytes.count, at + 1 + random.below(1 << random.below(8)))
        switch random.below(12) {
        case 0 where at < bytes.count: bytes[at] ^= 1 << UInt8(random.below(8))
        case 1 where at < bytes.count: bytes[at] = UInt8(random.below(256))
        case 2: bytes.removeSubrange(range)
        case 3: bytes.removeSubrange(at...)
        case 4: bytes.insert(contentsOf: bytes[range], at: random.below(bytes.count + 1))
        case 5: bytes.insert(contentsOf: repeated(bytes[range], 1 << random.below(16)), at: at)
        case 6:
            let token = tokens[random.below(tokens.count)]
            bytes.insert(contentsOf: repeated(token[...], 1 << random.below(16)), at: at)
        case 7:
            let other = corpus[random.below(corpus.count)].bytes
            let start = random.below(other.count + 1)
            bytes.replaceSubrange(range, with: other[start..<min(other.count, start + random.below(256))])
        case 8: bytes.replaceSubrange(range, with: tokens[random.below(tokens.count)])
        case 9: replaceNumber(in: &bytes, from: at, &random)
        case 10 where bytes.count >= 8:
            // A length before what it is of, as in safetensors.
            let small = UInt64(bitPattern: Int64(random.below(512) - 256))
            let length = random.below(4) == 0 ? random.next() : small
            for i in 0..<8 { bytes[i] = UInt8(truncatingIfNeeded: length >> (8 * UInt64(i))) }
        default: bytes.insert(contentsOf: tokens[random.below(tokens.count)], at: at)
        }
    }

    private func repeated(_ part: ArraySlice<UInt8>, _ times: Int) -> [UInt8] {
        Array(repeatElement(part, count: min(times, Self.limit / max(1, part.count))).joined())
    }

    private func replaceNumber(in bytes: inout [UInt8], from at: Int, _ random: inout SplitMix) {
        guard let start = bytes[at...].firstIndex(where: isDigit) else { return }
        let end = bytes[start...].firstIndex { !isDigit($0) } ?? bytes.count
        bytes.replaceSubrange(start..<end, with: Array(numbers[random.below(numbers.count)].utf8))
    }
}

/// A named input: some parsers read files of several kinds.
struct Input {
    var name: String
    var bytes: [UInt8]
}

/// Random numbers (Steele et al., "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// From 0 up to the bound, which is above 0.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

private func isWord(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
}

private let numbers = [
    "0", "-1", "1.5", "1e2", "1e400", "-1e400", "1e-400", "255", "256", "65536", "2147483647", "2147483648",
    "4294967296",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "18446744073709551615",
    "18446744073709551616", "1e19", "0x10", "010", "nan", "inf",
]

private let structure =
    [
        "{", "}", "[", "]", ":", ",", "\"", "'", "\\", "null", "true", "{}", "[]", "\"\"", "{\"a\":", "[[", "]]", "\n",
        "\r\n",
        "\t", " ", "\n- ", "\n  ", "#", "&a ", "*a", "<<: ", "!!int ", "|", ">", "---\n", "...", "? ", "%YAML 1.1\n",
        "~",
        "\\u0000", "\\ud800", "\\udc00\\ud800", "\\u00e9", "e\u{301}", "\u{301}", "\u{FEFF}", "\u{2028}", "\u{202E}",
        "\u{85}",
        "\u{0}", "\u{1F468}\u{200D}\u{1F469}", "\"\"\"", ",\"", "\",", "<|user|>", "<|assistant|>", "[INST]",
        "<|im_start|>",
        "<|endoftext|>", "### Instruction:", "<s>", "<0x0A>", "▁", "Ġ", "../", "/",
    ] + numbers

/// No UTF-8: a lone continuation, a start without end, an overlong form, a surrogate, beyond the last scalar.
private let malformed: [[UInt8]] = [
    [0x80], [0xC3], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF, 0xFE], [0x1F, 0x8B],
]

#endif
