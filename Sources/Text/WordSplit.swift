/// How text is split into words that are merged separately, hand-written so that no input can make it slow.
///
/// Each rule is the regular expression of a family of vocabularies, whose alternatives cover every text without gaps.
enum WordSplit: CaseIterable {
    /// GPT-2 (Radford et al. 2019, `encoder.py`).
    case gpt2
    /// SmolLM2: numerals stand alone, and what lies between them is split as by GPT-2.
    case digits
    /// Llama 3: contractions in any case, numbers in threes, line breaks on their own.
    case llama3
    /// Qwen2: the same, digits one by one.
    case qwen2

    /// The rule as `tokenizer.json` states it; that of `digits` is what the pre-tokenizer `Digits` leaves to do.
    var pattern: String {
        switch self {
        case .gpt2, .digits: #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
        case .llama3: Self.modern(numbers: #"\p{N}{1,3}"#)
        case .qwen2: Self.modern(numbers: #"\p{N}"#)
        }
    }

    private static func modern(numbers: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + numbers
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The end of the word that begins at `start`; `start` must be below `bytes.count`.
    func endOfWord(in bytes: [UInt8], from start: Int) -> Int {
        switch self {
        case .gpt2: Self.endOfGPT2Word(in: bytes, from: start)
        case .digits: Self.endOfWordBetweenDigits(in: bytes, from: start)
        case .llama3: Self.endOfModernWord(in: bytes, from: start, digits: 3)
        case .qwen2: Self.endOfModernWord(in: bytes, from: start, digits: 1)
        }
    }

    static func endOfGPT2Word(in bytes: [UInt8], from start: Int) -> Int {
        if let end = endOfContraction(in: bytes, from: start) { return end }
        let first = ScalarClass.next(in: bytes, at: start)
        guard first.class == .space else {
            return endOfRun(of: first.class, in: bytes, from: start + first.length)
        }
        if bytes[start] == UInt8(ascii: " "), start + 1 < bytes.count {
            let second = ScalarClass.next(in: bytes, at: start + 1)
            if second.class != .space {
                return endOfRun(of: second.class, in: bytes, from: start + 1 + second.length)
            }
        }
        return endOfSpaces(in: bytes, from: start, firstLength: first.length)
    }

    private static func endOfContraction(in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes[start] == UInt8(ascii: "'"), start + 1 < bytes.count else { return nil }
        switch bytes[start + 1] {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
            return start + 2
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return start + 2 < bytes.count && bytes[start + 2] == UInt8(ascii: "e") ? start + 3 : nil
        case UInt8(ascii: "l"):
            return start + 2 < bytes.count && bytes[start + 2] == UInt8(ascii: "l") ? start + 3 : nil
        default:
            return nil
        }
    }

    static func endOfRun(of kind: ScalarClass, in bytes: [UInt8], from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let next = ScalarClass.next(in: bytes, at: end)
            guard next.class == kind else { break }
            end += next.length
        }
        return end
    }

    /// `\s+(?!\S)|\s+`: the last space before other text belongs to what follows, unless it stands alone.
    static func endOfSpaces(in bytes: [UInt8], from start: Int, firstLength: Int) -> Int {
        var lastStart = start
        var end = start + firstLength
        while end < bytes.count {
            let next = ScalarClass.next(in: bytes, at: end)
            guard next.class == .space else { return lastStart > start ? lastStart : end }
            lastStart = end
            end += next.length
        }
        return end
    }
}
