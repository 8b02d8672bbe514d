/// The tokens of words seen before: most words of a text are among a few thousand.
///
/// A fixed-size table with at most four places per word, so that no text can fill memory or make it slow. Words of up
/// to 15 bytes are their own key (bytes and length in 128 bits), hence no comparison beyond two integers.
struct WordCache {
    private static let slotCount = 1 << 15
    private static let probes = 4
    static let longestWord = 15

    private var low: [UInt64] = []
    private var high: [UInt64] = []
    /// Where the tokens of each slot lie in `tokens`.
    private var ranges: [(start: Int32, count: Int32)] = []
    private var tokens: [Int32] = []

    /// A word of 1 to 15 bytes.
    struct Key {
        fileprivate var low: UInt64 = 0
        /// The top byte is the length, so that no key is zero, which marks a free slot.
        fileprivate var high: UInt64 = 0

        init(_ bytes: [UInt8], _ word: Range<Int>) {
            for i in word.lowerBound..<min(word.upperBound, word.lowerBound + 8) { low = low << 8 | UInt64(bytes[i]) }
            if word.count > 8 {
                for i in word.lowerBound + 8..<word.upperBound { high = high << 8 | UInt64(bytes[i]) }
            }
            high |= UInt64(word.count) << 56
        }

        fileprivate var slot: Int {
            let mixed = (low ^ (high &* 0x9E37_79B9_7F4A_7C15)) &* 0xD6E8_FEB8_6659_FD93
            return Int(mixed >> 49)
        }
    }

    /// Appends the tokens of a word to `ids` if they are known.
    func append(_ key: Key, to ids: inout [Int32]) -> Bool {
        guard !low.isEmpty else { return false }
        for probe in 0..<Self.probes {
            let slot = (key.slot + probe) % Self.slotCount
            if low[slot] == key.low, high[slot] == key.high {
                let start = Int(ranges[slot].start)
                for i in start..<start + Int(ranges[slot].count) { ids.append(tokens[i]) }
                return true
            }
        }
        return false
    }

    /// Remembers a word, unless its places are taken.
    mutating func insert(_ key: Key, _ word: ArraySlice<Int32>) {
        if low.isEmpty {
            low = Array(repeating: 0, count: Self.slotCount)
            high = low
            ranges = Array(repeating: (0, 0), count: Self.slotCount)
        }
        for probe in 0..<Self.probes {
            let slot = (key.slot + probe) % Self.slotCount
            if high[slot] == 0 {
                low[slot] = key.low
                high[slot] = key.high
                ranges[slot] = (Int32(tokens.count), Int32(word.count))
                tokens.append(contentsOf: word)
                return
            }
        }
    }
}
