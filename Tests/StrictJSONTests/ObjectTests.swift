import Failures
import StrictJSON
import Testing

private func parse(_ text: String) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), at: "config.json")
}

@Suite("Objects and fields")
struct ObjectTests {
    @Test("canonically equivalent keys are two keys, in small and in large objects", arguments: [0, 40])
    func byteKeys(padding: Int) throws {
        let more = (0..<padding).map { "\"k\($0)\": \($0)," }.joined()
        let object = try #require(try parse("{\(more) \"\u{E9}\": 1, \"e\u{301}\": 2}").object)
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
        #expect(object["e"] == nil)
        #expect(object.count == padding + 2)
        #expect(try parse("\"\u{E9}\"") != parse("\"e\u{301}\""))
    }

    @Test("a key written twice is refused, escaped or not, in small and in large objects", arguments: [0, 40])
    func duplicates(padding: Int) {
        let more = (0..<padding).map { "\"k\($0)\": \($0)," }.joined()
        #expect(throws: Failure.self) { try parse("{\(more) \"a\": 1, \"a\": 1}") }
        #expect(throws: Failure.self) { try parse("{\(more) \"a\": 1, \"\\u0061\": 1}") }
        #expect(throws: Failure.self) { try parse("{\"a\": 1, \(more) \"a\": 1}") }
    }

    @Test("members keep their order through setting and removing, across the size where a table takes over")
    func order() {
        var object = JSONObject()
        for i in 0..<30 { object["key \(i)"] = .integer(i) }
        object["key 3"] = "three"
        object["key 7"] = nil
        for i in 20..<30 { object["key \(i)"] = nil }
        #expect(object.keys == (0..<20).filter { $0 != 7 }.map { "key \($0)" })
        #expect(object["key 3"] == "three")
        for i in 8..<20 { #expect(object["key \(i)"] == .integer(i)) }
        for i in 0..<18 { object["key \(i)"] = nil }
        #expect(object.keys == ["key 18", "key 19"])
        #expect(object["key 19"] == 19)
    }

    @Test("a header of 200,000 objects parses in linear time")
    func largeHeader() throws {
        let members = (0..<200_000).map {
            "\"layer.\($0)\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[\($0),\($0)]}"
        }
        let clock = ContinuousClock()
        let text = Array("{\(members.joined(separator: ","))}".utf8)
        var value = JSONValue.null
        let elapsed = try clock.measure { value = try JSONValue(parsing: text, at: "header") }
        #expect(value.object?["layer.199999"]?.object?["dtype"] == "F32")
        #expect(elapsed < .seconds(10))
    }

    @Test("typed fields")
    func fields() throws {
        let value = try parse(
            #"{"n": 3, "x": 0.5, "s": "t", "b": true, "none": null, "list": [1, 2], "words": ["a"], "#
                + #""inner": {"deep": {"k": 1.5}}, "objects": [{"i": 1}]}"#
        )
        let fields = try JSONFields(value, at: "config.json", code: .configuration)
        #expect(try fields.int("n", in: 1...3) == 3)
        #expect(try fields.double("n") == 3)
        #expect(try fields.double("x", in: 0...1) == 0.5)
        #expect(try fields.string("s") == "t")
        #expect(try fields.bool("b"))
        #expect(try fields.ints("list", in: 0...2) == [1, 2])
        #expect(try fields.strings("words") == ["a"])
        #expect(try fields.optionalInt("none") == nil)
        #expect(try fields.optionalString("missing") == nil)
        #expect(try fields.optionalDouble("x") == 0.5)
        #expect(try fields.optionalBool("b") == true)
        #expect(try fields.optionalArray("list")?.count == 2)
        #expect(try fields.optionalFields("none") == nil ? true : false)
        #expect(try fields.fieldsList("objects")[0].int("i") == 1)

        func complaint(_ body: () throws -> Void) -> Failure? {
            do { try body() } catch { return error as? Failure }
            return nil
        }
        let inner = try fields.fields("inner").fields("deep")
        let cases: [(Failure?, String)] = [
            (complaint { _ = try fields.int("n", in: 4...9) }, "'n' must be in 4...9, found 3"),
            (complaint { _ = try fields.int("s") }, "'s' must be an integer, found a string"),
            (
                complaint { _ = try inner.int("k") },
                "'inner.deep.k' must be an integer, found a number with fraction or exponent"
            ),
            (complaint { _ = try fields.optionalInt("b") }, "'b' must be an integer, found a boolean"),
            (complaint { _ = try fields.int("none") }, "'none' must be an integer, found null"),
            (complaint { _ = try fields.string("missing") }, "'missing' is missing"),
            (complaint { _ = try fields.ints("list", in: 0...1) }, "'list[1]' must be in 0...1, found 2"),
            (complaint { _ = try fields.fields("list") }, "'list': expected an object, found an array"),
            (complaint { _ = try fields.fieldsList("list") }, "'list[0]': expected an object, found an integer"),
            (complaint { _ = try fields.double("x", in: 1...2) }, "'x' must be in 1.0...2.0, found 0.5"),
        ]
        for (failure, message) in cases {
            #expect(failure == Failure(.configuration, message, at: "config.json"))
        }
        #expect(throws: Failure.self) { try JSONFields([1], at: "f") }
    }
}
