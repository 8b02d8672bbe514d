import Failures
import Preferences
import Runs
import StrictJSON
import Text

/// Whether a file is one to train on that has conversations, though texts stand before them.
func holdsConversations(_ path: String) -> Bool {
    let texts = try? loadTrainingTexts(path, under: nil).texts
    return texts?.contains { if case .conversation = $0 { true } else { false } } == true
}

/// What a file of conversations, and texts between them, holds for the stage `sft`.
///
/// With a configuration that names a model, also how long they are in its tokens.
func describeTrainingTexts(_ path: String, _ request: PreferenceRequest) throws -> JSONValue {
    let configuration = try request.loadConfiguration()
    let tokens = try configuration?.encoding()
    let options = try request.options(configuration, encoding: tokens?.encoding)
    let template = tokens?.encoding.template ?? configuration?.data.chatTemplate
    let (texts, report) = try loadTrainingTexts(path, options: options, under: template)
    let conversations = texts.compactMap { if case .conversation(let conversation) = $0 { conversation } else { nil } }
    var found: JSONObject = [
        "kind": "conversations", "path": .string(path), "rows": .integer(report.rows), "kept": .integer(report.kept),
        "conversations": .integer(conversations.count), "texts": .integer(texts.count - conversations.count),
        "answers": .integer(conversations.reduce(0) { $0 + $1.messages.count { $0.role == .assistant } }),
        "bad_lines": .integer(report.skipped), "empty": .integer(report.empty),
    ]
    if let configuration, let tokens {
        let maximum = min(configuration.data.maxLength, tokens.positions)
        let sequences = texts.map {
            tokenize($0, maximumTokens: .max, endOfText: tokens.endOfText, encoding: tokens.encoding)
        }
        let starts = sequences.map { $0?.answers.first?.lowerBound ?? .max }
        let lengths = describeLengths(sequences.map { $0?.tokens.count ?? 0 }, tokens.encoding, maximum: maximum)
        for (key, value) in lengths.members { found[key] = value }
        // Of whose answers nothing fits.
        found["left_out"] = .integer(starts.count { $0 >= maximum })
    }
    found["dropped"] = .array(report.dropped.map(JSONValue.string))
    found["warnings"] = .array(report.warnings.map(JSONValue.string))
    return .object(found)
}
