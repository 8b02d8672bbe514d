/// GPT-2's split of text into words that are merged separately, hand-written so that no input can make it slow.
///
/// The pattern is `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/// (Radford et al. 2019, `encoder.py`). Its alternatives cover every text without gaps.
enum WordSplit {
    /// The end of the word that begins at `start`; `start` must be below `bytes.count`.
    static func endOfWord(in bytes: [UInt8], from start: Int) -> Int {
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

    private static func endOfRun(of kind: ScalarClass, in bytes: [UInt8], from start: Int) -> Int {
        var end = start
        while end < bytes.count {
            let next = ScalarClass.next(in: bytes, at: end)
            guard next.class == kind else { break }
            end += next.length
        }
        return end
    }

    /// `\s+(?!\S)|\s+`: the last space before other text belongs to what follows, unless it stands alone.
    private static func endOfSpaces(in bytes: [UInt8], from start: Int, firstLength: Int) -> Int {
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
