/// What GPT-2's split rule distinguishes: `\p{L}`, `\p{N}`, `\s` and everything else.
enum ScalarClass: UInt8 {
    case other
    case letter
    case number
    case space

    /// The class of a scalar by its general category in Unicode 16; `\s` is the White_Space property.
    ///
    /// What later versions assign stays `other`, as in `tokenizers`: ids must not change with the compiler.
    init(_ scalar: Unicode.Scalar) {
        let properties = scalar.properties
        guard let age = properties.age, age.major <= 16 else {
            self = .other
            return
        }
        if properties.isWhitespace {
            self = .space
            return
        }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: self = .letter
        case .decimalNumber, .letterNumber, .otherNumber: self = .number
        default: self = .other
        }
    }

    /// Classes of the first two planes, where nearly all text lives; a property lookup costs ten times a table's.
    private static let table: [ScalarClass] = (0..<0x20000 as Range<UInt32>).map { value in
        Unicode.Scalar(value).map { ScalarClass($0) } ?? .other
    }

    /// Class and length in bytes of the scalar that begins at `start`.
    ///
    /// A byte that begins no valid UTF-8 sequence counts as one scalar of class `other`, so that any bytes can be
    /// split.
    static func next(in bytes: [UInt8], at start: Int) -> (class: ScalarClass, length: Int) {
        let first = bytes[start]
        if first < 0x80 { return (table[Int(first)], 1) }
        let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
        guard first >= 0xC2, first <= 0xF4, start + length <= bytes.count else { return (.other, 1) }
        var value = UInt32(first) & (0x7F >> UInt32(length))
        for i in start + 1..<start + length {
            guard bytes[i] & 0xC0 == 0x80 else { return (.other, 1) }
            value = value << 6 | UInt32(bytes[i] & 0x3F)
        }
        let isOverlong = length == 3 && value < 0x800 || length == 4 && value < 0x10000
        guard !isOverlong, let scalar = Unicode.Scalar(value) else { return (.other, 1) }
        return (value < 0x20000 ? table[Int(value)] : ScalarClass(scalar), length)
    }
}
