import Failures
import Foundation
import StrictJSON
import Testing

@Suite("Writing and lines")
struct WritingAndLinesTests {
    @Test("one line, member order kept, shortest numbers, no word for non-finite ones")
    func oneLine() {
        let value: JSONValue = [
            "z": 1, "a": [0.1, 1e-5, 1e22, 2.0, -3], "f": JSONValue(Float(0.1)), "nan": .number(.nan),
            "inf": .number(-.infinity),
            "s": "q\" b\\ n\n t\t c\u{1}\u{1F} é 😀", "e": [], "o": .object(JSONObject()), "t": true, "n": nil,
        ]
        #expect(
            value.encoded()
                == #"{"z": 1, "a": [0.1, 1e-05, 1e+22, 2.0, -3], "f": 0.1, "nan": null, "inf": null, "#
                + #""s": "q\" b\\ n\n t\t c\u0001\u001f é 😀", "e": [], "o": {}, "t": true, "n": null}"#
        )
    }

    @Test("indented for people")
    func pretty() {
        let value: JSONValue = ["a": [1, ["b": 2]], "e": []]
        #expect(
            value.encoded(pretty: true)
                == "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"e\": []\n}\n"
        )
    }

    @Test("what is written reads back equal", arguments: [false, true])
    func roundTrip(pretty: Bool) throws {
        var values: [JSONValue] = [
            .string("\u{0}\r\n\u{2028}e\u{301}\u{E9}\\u0041"), .integer(.min), .number(-0.0),
            .number(.leastNonzeroMagnitude),
        ]
        for exponent in -300...300 {
            values.append(.number(1.1 * Double(sign: .minus, exponent: exponent, significand: 1.3)))
        }
        let value: JSONValue = ["é": .array(values), "e\u{301}": ["k": nil]]
        #expect(try JSONValue(parsing: Array(value.encoded(pretty: pretty).utf8), at: "f") == value)
    }

    @Test("JSON Lines: BOM, CRLF, blank lines and a missing final newline are accepted, bad lines named")
    func lines() throws {
        let text = "\u{FEFF}{\"a\": 1}\r\n\r\n  \n[2]\n{\"a\" 1}\n{\"a\": \"\u{0}\"}\n3"
        var seen: [String] = []
        try forEachJSONLine(in: Array(text.utf8), file: "p.jsonl") { line, value in
            switch value {
            case .success(let value): seen.append("\(line) \(value.encoded())")
            case .failure(let failure): seen.append("\(line) at \(failure.location ?? "")")
            }
        }
        #expect(seen == ["1 {\"a\": 1}", "4 [2]", "5 at p.jsonl:5:6", "6 at p.jsonl:6:8", "7 3"])
    }

    @Test("an overlong line is refused")
    func longLine() throws {
        var failures = 0
        try forEachJSONLine(in: Array("[1]\n[123456]\n[2]".utf8), file: "p", limits: JSONLimits(maximumBytes: 5)) {
            _,
            value in
            if case .failure = value { failures += 1 }
        }
        #expect(failures == 1)
    }

    @Test("files: missing, a directory, too large")
    func files() throws {
        let path = NSTemporaryDirectory() + "strict-json-\(UUID().uuidString).json"
        try Data("{\"a\": 1}".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(try JSONValue(contentsOfFile: path) == ["a": 1])
        func code(_ body: () throws -> Void) -> ExitCode? {
            do { try body() } catch { return (error as? Failure)?.code }
            return nil
        }
        #expect(code { _ = try JSONValue(contentsOfFile: path + ".none") } == .missingInput)
        #expect(code { _ = try JSONValue(contentsOfFile: NSTemporaryDirectory()) } == .badData)
        #expect(code { _ = try JSONValue(contentsOfFile: "/dev/zero") } == .badData)
        #expect(code { _ = try JSONValue(contentsOfFile: path, limits: JSONLimits(maximumBytes: 7)) } == .badData)
    }
}
