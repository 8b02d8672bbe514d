extension JSONParser {
    /// Longest accepted number; the exact value of a double has fewer digits.
    private static let longestNumber = 1_100

    /// Reads a number whose first byte is `-` or a digit.
    mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let first = at
        let negative = bytes[at] == UInt8(ascii: "-")
        if negative { at += 1 }
        let integerStart = at
        try digits()
        if bytes[integerStart] == UInt8(ascii: "0"), at - integerStart > 1 {
            throw JSONSyntaxError(message: "number with a leading zero", offset: first)
        }
        var isInteger = true
        if peek() == UInt8(ascii: ".") {
            isInteger = false
            at += 1
            try digits()
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isInteger = false
            at += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { at += 1 }
            try digits()
        }
        guard at - first <= Self.longestNumber else {
            throw JSONSyntaxError(message: "number of more than \(Self.longestNumber) characters", offset: first)
        }
        if isInteger, let value = integer(integerStart..<at, negative: negative) { return .integer(value) }
        guard let value = Double(String(decoding: bytes[first..<at], as: UTF8.self)), value.isFinite else {
            throw JSONSyntaxError(message: "number beyond the range of a double", offset: first)
        }
        return .number(value)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        let first = at
        while at < end, 0x30...0x39 ~= bytes[at] { at += 1 }
        guard at > first else { throw error("expected a digit") }
    }

    /// The value of the digits, or nil where it does not fit 64 bits or is −0, which only a double can hold.
    private func integer(_ digits: Range<Int>, negative: Bool) -> Int? {
        var value = 0
        for i in digits {
            let (product, overflowed) = value.multipliedReportingOverflow(by: 10)
            let digit = Int(bytes[i] - 0x30)
            let (sum, carried) = product.addingReportingOverflow(negative ? -digit : digit)
            if overflowed || carried { return nil }
            value = sum
        }
        return negative && value == 0 ? nil : value
    }
}
