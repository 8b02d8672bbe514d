extension JSONParser {
    /// Reads a string whose opening quote is the next byte.
    mutating func string() throws(JSONSyntaxError) -> String {
        at += 1
        let first = at
        while at < end {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") {
                let text = try text(bytes[first..<at], from: first)
                at += 1
                return text
            }
            if byte == UInt8(ascii: "\\") { return try stringWithEscapes(from: first) }
            guard byte >= 0x20 else { throw error("raw control byte in a string; write it as an escape") }
            at += 1
        }
        throw JSONSyntaxError(message: "string without closing quote", offset: first - 1)
    }

    private mutating func stringWithEscapes(from first: Int) throws(JSONSyntaxError) -> String {
        var content = Array(bytes[first..<at])
        while at < end {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                let text = try text(content[...], from: first)
                at += 1
                return text
            case UInt8(ascii: "\\"):
                try appendEscape(to: &content)
            case 0..<0x20:
                throw error("raw control byte in a string; write it as an escape")
            default:
                content.append(byte)
                at += 1
            }
        }
        throw JSONSyntaxError(message: "string without closing quote", offset: first - 1)
    }

    private func text(_ content: ArraySlice<UInt8>, from first: Int) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: content, as: UTF8.self) else {
            throw JSONSyntaxError(message: "invalid UTF-8 in the string that starts here", offset: first - 1)
        }
        return text
    }

    private mutating func appendEscape(to content: inout [UInt8]) throws(JSONSyntaxError) {
        guard at + 1 < end else { throw error("escape without end") }
        switch bytes[at + 1] {
        case UInt8(ascii: "\""): content.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\"): content.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/"): content.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b"): content.append(0x08)
        case UInt8(ascii: "f"): content.append(0x0C)
        case UInt8(ascii: "n"): content.append(0x0A)
        case UInt8(ascii: "r"): content.append(0x0D)
        case UInt8(ascii: "t"): content.append(0x09)
        case UInt8(ascii: "u"):
            content.append(contentsOf: String(try unicodeEscape()).utf8)
            return
        default: throw error("unknown escape in a string")
        }
        at += 2
    }

    /// Reads `\uXXXX`, or a surrogate pair of two of them.
    private mutating func unicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try hexadecimalUnit(at: at)
        if let scalar = Unicode.Scalar(first) {
            at += 6
            return scalar
        }
        if first < 0xDC00, at + 7 < end, bytes[at + 6] == UInt8(ascii: "\\"), bytes[at + 7] == UInt8(ascii: "u") {
            let second = try hexadecimalUnit(at: at + 6)
            if 0xDC00...0xDFFF ~= second,
                let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            {
                at += 12
                return scalar
            }
        }
        throw error("lone surrogate in a string")
    }

    private func hexadecimalUnit(at escape: Int) throws(JSONSyntaxError) -> UInt32 {
        guard escape + 6 <= end else { throw error("\\u needs four hexadecimal digits") }
        var value: UInt32 = 0
        for byte in bytes[escape + 2..<escape + 6] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("\\u needs four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
