import Failures
import Foundation
import Preferences
import Runs
import StrictJSON
import Tensors
import Text

/// What a preference file holds, as training would read it.
func describePreferences(_ path: String, _ request: PreferenceRequest) throws -> JSONValue {
    let configuration = try request.loadConfiguration()
    let tokens = try configuration?.encoding()
    let options = try request.options(configuration, encoding: tokens?.encoding)
    let (users, report) = try loadPreferences(path, options: options)
    let counts = users.map { Int($0.comparisons.reduce(0) { $0 + $1.weight }.rounded()) }.sorted()
    let groups = Dictionary(grouping: users.compactMap(\.group)) { $0 }
    let named = groups.keys.sorted().map { name -> JSONValue in
        ["group": .string(name), "users": .integer(groups[name]?.count ?? 0)]
    }
    let answers = report.answers
    var found: JSONObject = [
        "kind": "preferences", "path": .string(path), "rows": .integer(report.rows), "kept": .integer(report.kept),
        "users": .integer(users.count), "fewest_comparisons": .integer(counts.first ?? 0),
        "median_comparisons": .number(median(counts.map(Double.init))), "most_comparisons": .integer(counts.last ?? 0),
        "prompts": .integer(promptSet(of: users).count),
        "pairs": .integer(answers.pairs), "choices": .integer(answers.choices),
        "rankings": .integer(answers.rankings), "scores": .integer(answers.scores), "ties": .integer(answers.ties),
        "bad_lines": .integer(report.skipped), "unanswered": .integer(report.unanswered),
        "empty": .integer(report.empty), "identical": .integer(report.identical),
        "repeated": .integer(report.duplicates), "groups": .array(named),
        "fields": .array((options.mapping?.lines ?? ownFields(report.fields)).map(JSONValue.string)),
        "unused_fields": .array(unused(report.fields, options.mapping).map(JSONValue.string)),
    ]
    if let configuration, let tokens {
        let maximum = min(configuration.data.maxLength, tokens.positions)
        let lengths = try describeComparisonLengths(of: users, tokens.encoding, maximum: maximum)
        for (key, value) in lengths.members { found[key] = value }
    }
    found["dropped"] = .array(report.dropped.map(JSONValue.string))
    found["warnings"] = .array(report.warnings.map(JSONValue.string))
    return .object(found)
}

/// How long prompts with responses are in tokens, and what becomes of those that are too long.
private func describeComparisonLengths(
    of users: [User<Comparison>],
    _ encoding: ChatEncoding,
    maximum: Int
) throws(Failure) -> JSONObject {
    var lengths: [Int] = []
    for comparison in users.lazy.flatMap(\.comparisons) {
        let prompt = encoding.prompt(comparison.prompt).count
        let responses = comparison.responses.map { encoding.response($0.text, isComplete: $0.isComplete).count }
        lengths.append(prompt + (responses.max() ?? 0))
    }
    let options = TokenizationOptions(maximumLength: maximum, vocabularySize: encoding.tokenizer.vocabularySize)
    let report = try tokenize(users, options, encoding: encoding).report
    var found = describeLengths(lengths, encoding, maximum: maximum)
    found["cut_prompts"] = .integer(report.truncatedPrompts)
    found["cut_responses"] = .integer(report.truncatedResponses)
    return found
}

/// How long sequences are in tokens, and how many of them training takes whole.
func describeLengths(_ lengths: [Int], _ encoding: ChatEncoding, maximum: Int) -> JSONObject {
    [
        "chat_template": .string(encoding.template.rawValue), "max_length": .integer(maximum),
        "median_tokens": .number(median(lengths.map(Double.init))), "longest_tokens": .integer(lengths.max() ?? 0),
        "within_max_length": .integer(lengths.count { $0 <= maximum }),
    ]
}

/// Of our own fields those that a row has.
private func ownFields(_ fields: [String]) -> [String] {
    FieldMapping.ownFields.filter(fields.contains)
}

/// The fields of the first row that no field of ours is filled from.
private func unused(_ fields: [String], _ mapping: FieldMapping?) -> [String] {
    let own = ownFields(fields) + ["chosen_complete", "rejected_complete", "responses_complete"]
    guard let mapping else { return fields.filter { !own.contains($0) } }
    return fields.filter { !mapping.reads($0) }
}
