// The pre-tokenizer `Digits` with `individual_digits`, and GPT-2's pattern on what lies between numerals.

extension WordSplit {
    /// GPT-2's rule sees a numeral as the end of the text, so that the spaces before it are one word.
    static func endOfWordBetweenDigits(in bytes: [UInt8], from start: Int) -> Int {
        if let end = endOfNumeral(in: bytes, from: start) { return end }
        if ScalarClass.next(in: bytes, at: start).class == .space {
            let end = endOfRun(of: .space, in: bytes, from: start)
            if end < bytes.count, endOfNumeral(in: bytes, from: end) != nil { return end }
        }
        let end = endOfGPT2Word(in: bytes, from: start)
        // What is a numeral to `Digits` alone ends a word as well.
        let numeral = (start..<end).first { bytes[$0] == 0xF0 && isLateNumeral(in: bytes, at: $0) }
        return numeral ?? end
    }

    private static func endOfNumeral(in bytes: [UInt8], from start: Int) -> Int? {
        let first = ScalarClass.next(in: bytes, at: start)
        return first.class == .number || isLateNumeral(in: bytes, at: start) ? start + first.length : nil
    }

    /// U+11DE0 to U+11DE9 and U+16FF4 to U+16FF6, numerals since Unicode 17, which `Digits` follows; the patterns'
    /// classes are those of Unicode 16.
    private static func isLateNumeral(in bytes: [UInt8], at start: Int) -> Bool {
        guard start + 4 <= bytes.count, bytes[start] == 0xF0 else { return false }
        switch (bytes[start + 1], bytes[start + 2], bytes[start + 3]) {
        case (0x91, 0xB7, 0xA0...0xA9), (0x96, 0xBF, 0xB4...0xB6): return true
        default: return false
        }
    }
}
