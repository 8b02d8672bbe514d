// The split that OpenAI's `cl100k_base` brought and Llama 3 and Qwen2 took over.

extension WordSplit {
    /// The alternatives of the pattern in their order; `digits` is how many numerals a word has at most.
    static func endOfModernWord(in bytes: [UInt8], from start: Int, digits: Int) -> Int {
        if let end = endOfAnyCaseContraction(in: bytes, from: start) { return end }
        let first = ScalarClass.next(in: bytes, at: start)
        let afterFirst = start + first.length
        let second = afterFirst < bytes.count ? ScalarClass.next(in: bytes, at: afterFirst) : nil

        // [^\r\n\p{L}\p{N}]?\p{L}+
        if first.class == .letter { return endOfRun(of: .letter, in: bytes, from: afterFirst) }
        if first.class != .number, !isLineBreak(bytes[start]), second?.class == .letter {
            return endOfRun(of: .letter, in: bytes, from: afterFirst)
        }
        // \p{N}{1,3}
        if first.class == .number { return endOfNumber(in: bytes, from: start, digits: digits) }
        // ␠?[^\s\p{L}\p{N}]+[\r\n]*
        if first.class == .other || bytes[start] == UInt8(ascii: " ") && second?.class == .other {
            return endOfLineBreaks(in: bytes, from: endOfRun(of: .other, in: bytes, from: afterFirst))
        }
        // \s*[\r\n]+, then \s+(?!\S) or \s+
        return endOfLastLineBreak(in: bytes, from: start)
            ?? endOfSpaces(in: bytes, from: start, firstLength: first.length)
    }

    private static func isLineBreak(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }

    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`; without regard to case, ſ (U+017F) is an s.
    private static func endOfAnyCaseContraction(in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes[start] == UInt8(ascii: "'"), start + 1 < bytes.count else { return nil }
        func lower(_ i: Int) -> UInt8? { i < bytes.count ? bytes[i] | 0x20 : nil }
        switch (bytes[start + 1] | 0x20, lower(start + 2)) {
        case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _), (UInt8(ascii: "d"), _):
            return start + 2
        case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
            (UInt8(ascii: "l"), UInt8(ascii: "l")):
            return start + 3
        default:
            return bytes[(start + 1)...].starts(with: "ſ".utf8) ? start + 3 : nil
        }
    }

    private static func endOfNumber(in bytes: [UInt8], from start: Int, digits: Int) -> Int {
        var end = start
        for _ in 0..<digits where end < bytes.count {
            let next = ScalarClass.next(in: bytes, at: end)
            guard next.class == .number else { break }
            end += next.length
        }
        return end
    }

    private static func endOfLineBreaks(in bytes: [UInt8], from start: Int) -> Int {
        bytes[start...].firstIndex { !isLineBreak($0) } ?? bytes.count
    }

    /// After the last line break of the run of spaces at `start`; nil where the run has none.
    private static func endOfLastLineBreak(in bytes: [UInt8], from start: Int) -> Int? {
        let end = endOfRun(of: .space, in: bytes, from: start)
        return bytes[start..<end].lastIndex(where: isLineBreak).map { $0 + 1 }
    }
}
