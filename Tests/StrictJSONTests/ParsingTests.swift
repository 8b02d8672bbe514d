import Failures
import Testing

@testable import StrictJSON

private func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), at: "f.json", limits: limits)
}

@Suite("Parsing")
struct ParsingTests {
    @Test("every kind of value, with whitespace around each token")
    func values() throws {
        let value = try parse(
            " { \"a\" : [ 1 , -2 , 3.5 , 1e3 , true , false , null ] ,\n\"b\" : { } , \"c\" : [ ] } \r\n\t"
        )
        #expect(
            value == [
                "a": [1, -2, 3.5, 1000.0, true, false, nil], "b": .object(JSONObject()), "c": [],
            ]
        )
    }

    @Test(
        "strings",
        arguments: [
            (#""""#, ""), (#""a\"\\\/\b\f\n\r\tb""#, "a\"\\/\u{08}\u{0C}\n\r\tb"),
            (#""\u0041\u00e9\u20AC""#, "A\u{E9}\u{20AC}"),
            (#""\ud83d\ude00!""#, "😀!"), (#""\u0000""#, "\0"), ("\"naïve 日本 😀\"", "naïve 日本 😀"),
            ("\"\u{7F}\u{2028}\"", "\u{7F}\u{2028}"),
        ]
    )
    func strings(text: String, expected: String) throws {
        #expect(try parse(text) == .string(expected))
    }

    @Test(
        "numbers keep 64-bit integers exact and are otherwise the nearest double",
        arguments: [
            ("0", JSONValue.integer(0)), ("9223372036854775807", .integer(.max)),
            ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .number(0x1p63)), ("9007199254740993", .integer(9_007_199_254_740_993)),
            ("4.0", .number(4)), ("0.1", .number(0.1)), ("1E+2", .number(100)), ("2.5e-3", .number(0.0025)),
            ("1e-400", .number(0)), ("1.7976931348623157e308", .number(Double.greatestFiniteMagnitude)),
        ]
    )
    func numbers(text: String, expected: JSONValue) throws {
        #expect(try parse(text) == expected)
    }

    @Test("minus zero keeps its sign")
    func minusZero() throws {
        #expect(try parse("-0").number?.sign == .minus)
    }

    @Test(
        "what RFC 8259 does not allow is refused at its line and column",
        arguments: [
            ("", "1:1"), ("  ", "1:3"), ("[1,]", "1:4"), ("{\"a\":1,}", "1:8"), ("[1 2]", "1:4"), ("{\"a\" 1}", "1:6"),
            ("{a:1}", "1:2"),
            ("{\n\"a\": 1\n} x", "3:3"), ("// c\n1", "1:1"), ("[1] /* */", "1:5"), ("NaN", "1:1"), ("Infinity", "1:1"),
            ("-Infinity", "1:2"),
            ("nul", "1:1"), ("truE", "1:1"), ("01", "1:1"), ("-01", "1:1"), ("1.", "1:3"), (".5", "1:1"), ("+1", "1:1"),
            ("1e", "1:3"),
            ("0x10", "1:2"), ("1e400", "1:1"), ("-1e400", "1:1"), ("'a'", "1:1"), ("\"a", "1:1"), ("\"\\", "1:2"),
            ("\"\\x41\"", "1:2"),
            ("\"\\u12\"", "1:2"), ("\"\\u12G4\"", "1:2"), ("\"\\ud800\"", "1:2"), ("\"\\ude00\\ud83d\"", "1:2"),
            ("\"\\ud83d\\u0041\"", "1:2"),
            ("\"a\nb\"", "1:3"), ("\"a\u{0}b\"", "1:3"), ("\"a\\n\tb\"", "1:5"), ("[", "1:2"), ("{\"a\":", "1:6"),
            ("[\"a\"", "1:5"), ("]", "1:1"),
            ("\u{FEFF}1", "1:1"), ("1\u{A0}", "1:2"), ("[1,,2]", "1:4"), ("1 2", "1:3"),
        ]
    )
    func refused(text: String, position: String) {
        #expect {
            try parse(text)
        } throws: { error in
            let failure = error as? Failure
            return failure?.code == .badData && failure?.location == "f.json:\(position)"
        }
    }

    @Test(
        "invalid UTF-8 is refused: stray, truncated, overlong, surrogate, beyond U+10FFFF",
        arguments: [
            [0x80], [0xC3], [0xC0, 0xAF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xFF],
        ] as [[UInt8]]
    )
    func invalidUTF8(content: [UInt8]) {
        for prefix in ["", "\\n"] {
            #expect(throws: Failure.self) {
                try JSONValue(parsing: [0x22] + Array(prefix.utf8) + content + [0x22], at: "f")
            }
        }
    }

    @Test("UTF-16 text is refused with a hint")
    func utf16() {
        #expect {
            try JSONValue(parsing: [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], at: "f")
        } throws: { "\($0)".contains("save the file as UTF-8") }
    }

    @Test("nesting is bounded, and a hundred thousand brackets cost nothing")
    func depth() throws {
        let nested = { (n: Int) in String(repeating: "[", count: n) + String(repeating: "]", count: n) }
        #expect(try parse(nested(64)).array?.count == 1)
        #expect(throws: Failure.self) { try parse(nested(65)) }
        #expect(throws: Failure.self) { try parse(String(repeating: "[", count: 100_000)) }
        #expect(throws: Failure.self) { try parse(String(repeating: "{\"a\":", count: 100_000)) }
        #expect(try parse("{\"a\":{\"b\":1}}", limits: JSONLimits(maximumDepth: 2)).object?.count == 1)
        #expect(throws: Failure.self) { try parse("{\"a\":{\"b\":1}}", limits: JSONLimits(maximumDepth: 1)) }
    }

    @Test("size is bounded before anything is read")
    func size() {
        #expect(throws: Failure.self) { try parse("[1234567]", limits: JSONLimits(maximumBytes: 8)) }
    }

    @Test("every truncation of a document is refused and none traps")
    func truncations() throws {
        let text = Array(#"{"a": [1.5e3, "x\u00e9\ud83d\ude00", {"b": null}], "ü": true}"#.utf8)
        _ = try JSONValue(parsing: text, at: "f")
        for length in 0..<text.count {
            #expect(throws: Failure.self) { try JSONValue(parsing: Array(text[..<length]), at: "f") }
        }
    }

    @Test("every single-byte change of a document parses or is refused, and none traps")
    func mutations() {
        let text = Array(#"{"a": [-1.5e3, "\u00e9\ud83d\ude00", {"b": null}], "é": true}"#.utf8)
        for i in text.indices {
            for byte in UInt8.min...UInt8.max {
                var mutated = text
                mutated[i] = byte
                if let value = try? JSONValue(parsing: mutated, at: "f"),
                    let again = try? JSONValue(parsing: Array(value.encoded().utf8), at: "f")
                {
                    #expect(value == again)
                }
            }
        }
    }
}
