/// The lower-cased runs of `[a-z']` in a text: the words of the film-review scorer (`token_pattern`) and of the
/// lexicon.
///
/// Lower case is Unicode's full mapping, as Python's `str.lower`, so that a Kelvin sign counts as a `k`.
func lowercasedWords(_ text: String) -> [String] {
    var words: [String] = []
    var word: [UInt8] = []
    func isLetter(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || byte == UInt8(ascii: "'") }
    func take(_ byte: UInt8) {
        if isLetter(byte) {
            word.append(byte)
        } else if !word.isEmpty {
            words.append(String(decoding: word, as: UTF8.self))
            word.removeAll(keepingCapacity: true)
        }
    }
    for scalar in text.unicodeScalars {
        if scalar.value < 0x80 {
            let byte = UInt8(scalar.value)
            take(UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte + 32 : byte)
        } else {
            for byte in scalar.properties.lowercaseMapping.utf8 { take(byte) }
        }
    }
    take(UInt8(ascii: " "))
    return words
}
