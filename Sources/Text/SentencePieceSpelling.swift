/// How SentencePiece vocabularies spell bytes and spaces: `<0x0A>` is a byte, `▁` a space.
extension SentencePieceBPE {
    private static let hexadecimal = Array("0123456789ABCDEF".unicodeScalars)

    /// The spelling of a byte.
    static func spelling(_ byte: UInt8) -> String {
        var digits = String.UnicodeScalarView()
        digits.append(hexadecimal[Int(byte >> 4)])
        digits.append(hexadecimal[Int(byte & 15)])
        return "<0x\(String(digits))>"
    }

    /// The bytes that a token spells.
    static func decode(_ token: String) -> [UInt8]? {
        let utf8 = Array(token.utf8)
        if utf8.count == 6, token.hasPrefix("<0x"), let byte = UInt8(token.dropFirst(3).prefix(2), radix: 16),
            spelling(byte) == token
        {
            return [byte]
        }
        var bytes: [UInt8] = []
        for scalar in token.unicodeScalars {
            bytes += scalar == "▁" ? [UInt8(ascii: " ")] : Array(String(scalar).utf8)
        }
        return bytes
    }
}
