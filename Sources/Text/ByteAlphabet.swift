/// GPT-2's spelling of bytes as printable characters, in which vocabularies are written: `Ġ` is a space.
enum ByteAlphabet {
    /// The character of each byte: itself where it prints, otherwise U+0100 onwards in byte order.
    static let characters: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0..<256 as Range<UInt32>).map { byte in
            let prints = 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte
            if !prints { next += 1 }
            return Unicode.Scalar(prints ? byte : next - 1) ?? " "
        }
    }()

    /// The bytes in the order of their characters, which is how `tokenizers` numbers a fresh vocabulary.
    static let bytesByCharacter: [UInt8] = (0...255).sorted { characters[Int($0)] < characters[Int($1)] }

    private static let bytes: [UInt8?] = {
        var table = [UInt8?](repeating: nil, count: 0x180)
        for byte in UInt8.min...UInt8.max { table[Int(characters[Int(byte)].value)] = byte }
        return table
    }()

    /// The bytes that a token spells, or nil where a character stands for none.
    static func decode(_ token: String) -> [UInt8]? {
        var decoded: [UInt8] = []
        for scalar in token.unicodeScalars {
            guard scalar.value < 0x180, let byte = bytes[Int(scalar.value)] else { return nil }
            decoded.append(byte)
        }
        return decoded
    }

    /// The spelling of bytes.
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var token = String.UnicodeScalarView()
        for byte in bytes { token.append(characters[Int(byte)]) }
        return String(token)
    }
}
