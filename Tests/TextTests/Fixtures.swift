import Foundation
import StrictJSON
import Testing

/// A file of Tests/Fixtures/Text.
func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fixtures/Text/\(name)").path
}

/// A hard text and its ids by `tokenizers`.
struct GoldenCase: CustomTestStringConvertible {
    let text: String
    let asText: [Int32]
    let special: [Int32]
    let prefixSpace: [Int32]
    let added: [Int32]

    var testDescription: String { text.debugDescription }
}

/// The cases of cases.json, and the corpus that the tiny vocabulary was trained on.
func goldenCases() throws -> (corpus: [String], cases: [GoldenCase]) {
    let file = fixture("cases.json")
    let fields = try JSONFields(JSONValue(contentsOfFile: file), at: file)
    let cases = try fields.fieldsList("cases").map { fields in
        func ids(_ key: String) throws -> [Int32] { try fields.ints(key).map { Int32($0) } }
        return GoldenCase(
            text: try fields.string("text"),
            asText: try ids("ids"),
            special: try ids("ids_special"),
            prefixSpace: try ids("ids_prefix_space"),
            added: try ids("ids_added")
        )
    }
    return (try fields.strings("corpus"), cases)
}

/// The tiny vocabulary's `tokenizer.json`, for tests that change it.
func tinyFile() throws -> JSONValue {
    try JSONValue(contentsOfFile: fixture("tiny/tokenizer.json"))
}

extension JSONValue {
    /// A copy with the value at a path of keys replaced, or removed where `value` is nil.
    func setting(_ path: String..., to value: JSONValue?) -> JSONValue {
        setting(path[...], to: value)
    }

    private func setting(_ path: ArraySlice<String>, to value: JSONValue?) -> JSONValue {
        guard let key = path.first, var object else { return value ?? .null }
        if path.count == 1 {
            object[key] = value
        } else {
            object[key] = (object[key] ?? .object(JSONObject())).setting(path.dropFirst(), to: value)
        }
        return .object(object)
    }
}
