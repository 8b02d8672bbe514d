/// A string that equals another only where their UTF-8 bytes are equal.
///
/// Swift's own `String` holds "é" and "e" + U+0301 for equal; as JSON keys and as tokens they are two things. Hashes
/// are seeded per process (SipHash), so crafted keys cannot make a table quadratic.
package struct ByteString: Hashable, Sendable {
    /// The string.
    package let string: String

    /// Wraps a string.
    package init(_ string: String) {
        self.string = string
    }

    /// Whether both have the same UTF-8 bytes.
    package static func == (a: ByteString, b: ByteString) -> Bool {
        a.string.utf8.elementsEqual(b.string.utf8)
    }

    /// Hashes the UTF-8 bytes, eight at a time.
    package func hash(into hasher: inout Hasher) {
        var word: UInt64 = 0
        var count = 0
        for byte in string.utf8 {
            word = word << 8 | UInt64(byte)
            count += 1
            if count & 7 == 0 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(count)
    }
}
