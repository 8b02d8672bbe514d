#if DEBUG

import Collectives
import Failures
import Foundation
import ModelFiles
import Optimizers
import Preferences
import Reporting
import RewardMixture
import StrictJSON
import StrictYAML
import Tensors
import Text

@testable import Launching
@testable import Runs

/// A parser of bytes that nobody vouches for, as the program calls it.
///
/// It may throw a `Failure` or a `ConfigurationError`; it ends the program where it gives something that is wrong.
struct Parser: Sendable {
    let name: String
    /// - Parameter folder: an empty folder of its own.
    let run: @Sendable (_ input: Input, _ folder: String) throws -> Void

    static let all = [
        Parser(name: "json") { input, _ in try parseJSON(input.bytes) },
        Parser(name: "safetensors") { try readSafetensors($0, folder: $1) },
        Parser(name: "tokenizer") { try readTokenizer($0, folder: $1) },
        Parser(name: "yaml") { try readConfiguration($0, folder: $1) },
        Parser(name: "csv") { try readPreferences($0, folder: $1, ending: "csv") },
        Parser(name: "jsonl") { try readPreferences($0, folder: $1, ending: "jsonl") },
        Parser(name: "gzip") { try readPreferences($0, folder: $1, ending: "jsonl.gz") },
        Parser(name: "fields") { try readMapping($0, folder: $1) },
        Parser(name: "template") { input, _ in try renderTemplates(input.bytes) },
        Parser(name: "manifest") { try readCheckpoint($0, folder: $1) },
        Parser(name: "stage") { try readStageFiles($0, folder: $1) },
        Parser(name: "model") { try readModelFiles($0, folder: $1) },
    ]
}

/// Ends the program: a parser gave what it must not give.
private func require(_ holds: Bool, _ promise: String) {
    if !holds { fatalError("broken promise: \(promise)") }
}

private func write(_ bytes: [UInt8], _ path: String) -> String {
    let isWritten = FileManager.default.createFile(atPath: path, contents: Data(bytes))
    guard isWritten else { fatalError("cannot write \(path)") }
    return path
}

/// The files that stand beside the input.
private func copyCorpus(_ parser: String, to folder: String) {
    for name in Corpus.names(in: parser) { _ = write(Corpus.bytes(of: "\(parser)/\(name)") ?? [], "\(folder)/\(name)") }
}

/// What is parsed is written so that it parses to the same.
private func parseJSON(_ bytes: [UInt8]) throws {
    let value = try JSONValue(parsing: bytes, at: "input")
    for pretty in [false, true] {
        let again = try? JSONValue(parsing: Array(value.encoded(pretty: pretty).utf8), at: "written")
        require(again == value, "JSON is written as it was read")
    }
}

private func readSafetensors(_ input: Input, folder: String) throws {
    let path = write(input.bytes, "\(folder)/model.safetensors")
    let file = try SafetensorsFile(path: path)
    for tensor in file.header.tensors {
        let elements = tensor.shape.reduce(1, *)
        require(elements * tensor.type.size == tensor.bytes.count, "a tensor has as many bytes as its shape needs")
        guard [.float32, .float16, .bfloat16].contains(tensor.type), elements <= 1 << 16 else { continue }
        try file.read(tensor, into: Tensor(zeros: [elements]))
    }
}

/// Texts in which a tokenizer can go wrong.
private let texts = [
    "", " ", "It's a film, isn't it?\n\n  <|endoftext|>", "naïve e\u{301} 👨‍👩‍👧 \u{0}",
    String(repeating: "ab ", count: 50),
]

private func readTokenizer(_ input: Input, folder: String) throws {
    let other = input.name == "tokenizer.json" ? nil : Corpus.bytes(of: "tokenizer/tokenizer.json")
    if let other { _ = write(other, "\(folder)/tokenizer.json") }
    _ = write(input.bytes, "\(folder)/\(input.name)")
    let tokenizer = try Tokenizer(directory: folder)
    _ = tokenizer.recognizedTemplate
    for text in texts {
        let ids = tokenizer.encodeSequence(text)
        require(ids.allSatisfy { tokenizer.token(for: $0) != nil }, "text becomes tokens of the vocabulary")
        _ = try tokenizer.decode(ids)
    }
}

/// What a configuration is written as is the same configuration.
private func readConfiguration(_ input: Input, folder: String) throws {
    let path = write(input.bytes, "\(folder)/\(input.name)")
    if input.name.hasPrefix("cluster") {
        _ = try Cluster(contentsOfFile: path)
        return
    }
    let configuration = try Configuration(yaml: readYAMLText(path), file: path)
    let again = try? Configuration(yaml: configuration.effectiveYAML, file: path)
    require(again?.effectiveYAML == configuration.effectiveYAML, "a configuration is written as it was read")
}

/// Comparisons are written so that they are read as the same.
private func readPreferences(_ input: Input, folder: String, ending: String) throws {
    let path = write(input.bytes, "\(folder)/data.\(ending)")
    _ = try? loadPromptTexts(path)
    _ = try? loadTexts(path)
    let preset = DataPreset.allCases[input.bytes.count % DataPreset.allCases.count]
    _ = try? loadPreferences(path, options: LoadOptions(onBadLine: .skip, mapping: preset.mapping))
    let found = try rows(of: path, LoadOptions(onBadLine: .skip, template: .tulu, duplicates: .drop))
    let text = found.map { JSONValue.object($0.json).encoded() + "\n" }.joined()
    let again = try? rows(of: write(Array(text.utf8), "\(folder)/again.jsonl"))
    require(again == found, "preferences are written as they were read")
}

private func rows(of path: String, _ options: LoadOptions = LoadOptions()) throws -> [PreferenceRow] {
    var rows: [PreferenceRow] = []
    _ = try forEachPreference(of: path, options) { row, _ in rows.append(row) }
    return rows
}

/// A mapping of fields, on rows with lists of objects.
private func readMapping(_ input: Input, folder: String) throws {
    let mapping = try FieldMapping(JSONValue(parsing: input.bytes, at: "fields"))
    let path = write(Corpus.bytes(of: "jsonl/prism.jsonl") ?? [], "\(folder)/data.jsonl")
    _ = try rows(of: path, LoadOptions(onBadLine: .skip, mapping: mapping))
    require((try? FieldMapping(mapping.json)) == mapping, "a mapping is what it was written as")
}

/// The tokenizer of the templates: bytes, and the added tokens of all of them.
private let templateTokenizer: Tokenizer = {
    do {
        return try Tokenizer(directory: Corpus.folder + "/template-tokenizer")
    } catch {
        fatalError("\(error)")
    }
}()

/// No message becomes a token that stands between turns.
private func renderTemplates(_ bytes: [UInt8]) throws {
    let value = try JSONValue(parsing: bytes, at: "input")
    let row: JSONObject = ["prompt": value]
    for template in ChatTemplate.allCases {
        let encoding = try ChatEncoding(templateTokenizer, template, endOfText: templateTokenizer.endOfText)
        guard let conversation = try? row.prompt("prompt", template, at: "input") else { continue }
        let empty = Conversation(conversation.messages.map { Message($0.role, "x") })
        let specials = { (ids: [Int32]) in ids.filter { templateTokenizer.token(for: $0)?.hasPrefix("<|") == true } }
        let ids = encoding.prompt(conversation)
        require(specials(ids) == specials(encoding.prompt(empty)), "a message forges no turn")
        require(encoding.prompt(conversation, atMost: ids.count).tokens == ids, "what fits is not cut")
        let cut = encoding.prompt(conversation, atMost: 40)
        if template != .none { require(encoding.prompt(cut.conversation) == cut.tokens, "a cut prompt is its tokens") }
        _ = encoding.response(conversation.messages[0].content, isComplete: true)
        _ = encoding.text(ofResponse: ids)
    }
}

/// A checkpoint whose manifest was changed by someone who also knows how it is sealed.
private func readCheckpoint(_ input: Input, folder: String) throws {
    let path = "\(folder)/sft/step-2"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    copyCorpus("manifest", to: path)
    if input.name == "manifest.json" {
        let seal = FileSeal(of: input.bytes)
        let commit = "{\"manifest\": {\"bytes\": \(seal.bytes), \"xxh64\": \"\(seal.xxh64)\"}}"
        _ = write(Array(commit.utf8), "\(path)/COMMIT")
    }
    _ = write(input.bytes, "\(path)/\(input.name)")
    let checkpoint = try Checkpoint(path: path)
    try checkpoint.fill([
        StateVector("weights", Tensor(zeros: [41])),
        StateVector("moments", part: Tensor(zeros: [10]), from: 7, of: 29),
    ])
    _ = checkpoint.json(of: "note")
}

/// What stages read of the stages before them, and `inspect` and `report` of a run.
private func readStageFiles(_ input: Input, folder: String) throws {
    for name in ["reward", "completed"] {
        try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    for name in ["evaluation.json", "metrics.jsonl"] {
        _ = write(Corpus.bytes(of: "stage/\(name)") ?? [], "\(folder)/\(name)")
    }
    let places = [
        "mixture.json": "reward/mixture.json", "calibration.json": "reward/calibration.json",
        "assignments.csv": "reward/assignments.csv", "completed.json": "completed/sft",
    ]
    let path = write(input.bytes, "\(folder)/\(places[input.name] ?? input.name)")
    let run = RunContext(
        configuration: try Configuration(yaml: "", file: "config.yaml"),
        directory: RunDirectory(path: folder),
        communicator: SoloCommunicator(),
        progress: .silent,
        metrics: try MetricsWriter(appendingTo: nil)
    )
    switch input.name {
    case "mixture.json": _ = try run.loadMixtureRecord()
    case "calibration.json": _ = try run.loadCalibration(models: ["group-0", "group-1", "single"])
    case "assignments.csv": _ = try AssignmentsTable(path: path)
    case "completed.json": _ = try run.directory.completedMetrics()
    case "status.json":
        _ = try run.directory.readStatus()?.line
        _ = try run.directory.start([.sft], resume: true)
    default: try runReport(run)
    }
}

/// What a model's directory holds beside tokenizer and weights.
private func readModelFiles(_ input: Input, folder: String) throws {
    copyCorpus("model", to: folder)
    _ = write(input.bytes, "\(folder)/\(input.name)")
    if input.name == "adapter_config.json" {
        _ = try AdapterDirectory.summary(folder)
        return
    }
    _ = try ModelDirectory.configuration(folder)
    _ = try Provenance(directory: folder)
    _ = try ModelDirectory.fingerprint(folder)
}

#endif
