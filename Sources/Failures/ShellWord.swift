/// A word as a POSIX shell reads it back: as it is where every character is harmless, in single quotes otherwise.
///
/// Byte by byte, as a shell reads it: to Swift a quotation mark under a combining mark is another Character.
package func shellQuoted(_ word: String) -> String {
    if !word.isEmpty, word.utf8.allSatisfy(isHarmlessInShell) { return word }
    let quote = UInt8(ascii: "'")
    let quoted = word.utf8.flatMap { $0 == quote ? Array("'\\''".utf8) : [$0] }
    return String(decoding: [quote] + quoted + [quote], as: UTF8.self)
}

/// Whether a byte means itself to every shell, batch system and launcher, wherever in a word it stands.
package func isHarmlessInShell(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default: "@%_+=:,./-".utf8.contains(byte)
    }
}
