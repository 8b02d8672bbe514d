/// Why and where a text is not JSON.
struct JSONSyntaxError: Error {
    let message: String
    /// Index into the bytes.
    let offset: Int
}

/// A recursive-descent parser; the recursion is bounded by `maximumDepth`.
struct JSONParser {
    private static let trueText = Array("true".utf8)
    private static let falseText = Array("false".utf8)
    private static let nullText = Array("null".utf8)

    let bytes: [UInt8]
    let end: Int
    /// Index of the next byte.
    var at: Int
    private let maximumDepth: Int

    init(bytes: [UInt8], range: Range<Int>, maximumDepth: Int) {
        self.bytes = bytes
        at = range.lowerBound
        end = range.upperBound
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        if end - at >= 3, bytes[at] == 0xEF, bytes[at + 1] == 0xBB, bytes[at + 2] == 0xBF {
            throw error("byte-order mark before the JSON text; save the file as UTF-8 without one")
        }
        if end - at >= 2, bytes[at] >= 0xFE, bytes[at + 1] >= 0xFE {
            throw error("UTF-16 text; save the file as UTF-8")
        }
        skipSpace()
        guard at < end else { throw error("empty, expected a JSON value") }
        let value = try value(depth: 0)
        skipSpace()
        guard at == end else { throw error("text after the end of the JSON value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard at < end else { throw error("unexpected end, expected a value") }
        switch bytes[at] {
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        case UInt8(ascii: "t"): return try literal(Self.trueText, .bool(true))
        case UInt8(ascii: "f"): return try literal(Self.falseText, .bool(false))
        case UInt8(ascii: "n"): return try literal(Self.nullText, .null)
        default: throw error("expected a JSON value")
        }
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        let opening = at
        guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth) levels") }
        at += 1
        skipSpace()
        if peek() == UInt8(ascii: "}") {
            at += 1
            return .object(JSONObject())
        }
        var members: [(key: String, value: JSONValue)] = []
        while true {
            guard peek() == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
            let key = try string()
            skipSpace()
            guard peek() == UInt8(ascii: ":") else { throw error("expected ':' after a key") }
            at += 1
            skipSpace()
            members.append((key, try value(depth: depth)))
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","):
                at += 1
                skipSpace()
            case UInt8(ascii: "}"):
                at += 1
                switch JSONObject.make(members) {
                case .success(let object): return .object(object)
                case .failure(let duplicate):
                    let key = members[duplicate.position].key.prefix(60)
                    throw JSONSyntaxError(message: "key \"\(key)\" occurs twice in this object", offset: opening)
                }
            default: throw error("expected ',' or '}' in an object")
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth) levels") }
        at += 1
        skipSpace()
        if peek() == UInt8(ascii: "]") {
            at += 1
            return .array([])
        }
        var elements: [JSONValue] = []
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","):
                at += 1
                skipSpace()
            case UInt8(ascii: "]"):
                at += 1
                return .array(elements)
            default: throw error("expected ',' or ']' in an array")
            }
        }
    }

    private mutating func literal(_ expected: [UInt8], _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        guard end - at >= expected.count, bytes[at..<at + expected.count].elementsEqual(expected) else {
            throw error("expected a JSON value")
        }
        at += expected.count
        return value
    }

    func peek() -> UInt8? {
        at < end ? bytes[at] : nil
    }

    private mutating func skipSpace() {
        while at < end {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    func error(_ message: String) -> JSONSyntaxError {
        JSONSyntaxError(message: message, offset: at)
    }
}
