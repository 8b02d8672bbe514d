import Failures
import Foundation
import LanguageModels
import ModelFiles
import Preferences
import Runs
import StrictJSON
import StrictYAML
import Text

/// What is at `path`: a model, a run, a configuration, tensors, preferences, prompts, conversations or text, and what
/// is wrong with it.
///
/// - Parameters:
///   - allowNonFinite: whether NaN and infinite weights of a model are taken.
///   - preferences: how a preference file is read.
/// - Returns: one JSON object on one line, or `key: value` lines for people.
/// - Throws: `Failure` or `ConfigurationError` with what is wrong.
package func inspect(
    _ path: String,
    json: Bool,
    allowNonFinite: Bool = false,
    followSymlinks: Bool = false,
    preferences: PreferenceRequest = PreferenceRequest()
) throws -> String {
    let report = try describe(
        path,
        allowNonFinite: allowNonFinite,
        followSymlinks: followSymlinks,
        preferences: preferences
    )
    return json
        ? report.encoded() : lines(report, indentation: "").map { printable($0, limit: .max) }.joined(separator: "\n")
}

/// What memory a configuration's stages take, predicted without loading anything.
///
/// - Returns: one JSON object on one line, or a table for people.
/// - Throws: `ConfigurationError` or `Failure` with what is wrong.
package func inspectMemory(
    _ path: String,
    overrides: [String],
    ranks: Int,
    ranksOnNode: Int,
    json: Bool
) throws -> String {
    let configuration = try Configuration(yaml: readYAMLText(path), file: path, overrides: overrides)
    let available = configuration.availableMemory
    let plan = try MemoryPlan(
        configuration,
        stages: configuration.run.stages,
        ranks: ranks,
        ranksOnNode: ranksOnNode,
        available: available
    )
    if json {
        var fields = plan.json(available: available)
        fields["kernels"] = kernelFields()
        return JSONValue.object(fields).encoded()
    }
    var lines = [plan.table, describeKernels()]
    if let available {
        lines.append("available on this machine: \(mebibytes(available)) MiB")
        if let stage = plan.largest, plan.bytesPerNode(stage) > available {
            lines.append(plan.shortage(of: stage, available: available))
        }
    }
    lines += configuration.waitingRanks(ranks, in: configuration.run.stages).map(\.warning)
    return lines.joined(separator: "\n")
}

private func describe(
    _ path: String,
    allowNonFinite: Bool,
    followSymlinks: Bool,
    preferences: PreferenceRequest
) throws -> JSONValue {
    let files = FileManager.default
    // What is not there may be a data set of the hub.
    guard files.fileExists(atPath: path) else {
        try requireText(path)
        throw Failure(.missingInput, "no such file or directory", at: path)
    }
    if files.fileExists(atPath: path + "/config.yaml") { return try describeRun(path) }
    if URL(literalPath: path).lastPathComponent.hasPrefix("step-") { return try describeCheckpoint(path) }
    if files.fileExists(atPath: path + "/config.json") {
        return try describeModel(path, allowNonFinite: allowNonFinite, followSymlinks: followSymlinks)
    }
    if AdapterDirectory.isAdapter(path) {
        return try describeAdapter(path, allowNonFinite: allowNonFinite, followSymlinks: followSymlinks)
    }
    switch URL(literalPath: path).pathExtension.lowercased() {
    case "yaml", "yml": return try describeConfiguration(path)
    case "safetensors": return try describeTensors(path)
    case "csv", "jsonl", "json", "gz": return try describeData(path, preferences)
    default:
        // Says what to make JSON Lines with of what other programs read.
        try requireText(path)
        if try preferences.namesRows(of: path) { return try describeData(path, preferences) }
        throw Failure(
            .badData,
            "is no run, checkpoint, model or adapter directory, and no .yaml, .safetensors, .jsonl, .csv or .gz file",
            at: path
        )
    }
}

private func describeModel(_ path: String, allowNonFinite: Bool, followSymlinks: Bool) throws -> JSONValue {
    let shape = try ModelDirectory.configuration(path)
    let isRewardModel = try ModelDirectory.isRewardModel(path)
    // Reading it is the check: shapes, missing tensors, numbers that are not finite.
    let found = try ModelDirectory.verify(path, allowNonFinite: allowNonFinite, followSymlinks: followSymlinks)
    let tokenizer = try Tokenizer(directory: path)
    guard tokenizer.vocabularySize <= shape.vocabularySize else {
        throw Failure(
            .configuration,
            "the tokenizer has \(tokenizer.vocabularySize) tokens, the model \(shape.vocabularySize)",
            at: path
        )
    }
    return [
        "kind": .string(isRewardModel ? "reward model" : "language model"), "path": .string(path),
        "family": .string(shape.llama?.member.rawValue ?? "gpt2"), "parameters": .integer(found.parameters),
        "layers": .integer(shape.layers), "width": .integer(shape.width), "heads": .integer(shape.heads),
        "positions": .integer(shape.contextLength),
        "stored": .string(try ModelDirectory.storedType(path, followSymlinks: followSymlinks).rawValue),
        "vocabulary_size": .integer(shape.vocabularySize),
        "tokenizer_size": .integer(tokenizer.vocabularySize),
        "chat_template": try noted(path) ?? tokenizer.recognizedTemplate.map { .string($0.rawValue) } ?? .null,
        "end_of_text": (tokenizer.endOfText ?? shape.endOfText).map { .integer(Int($0)) } ?? .null,
        "warnings": .array(found.warnings.map(JSONValue.string)),
    ]
}

private func describeAdapter(_ path: String, allowNonFinite: Bool, followSymlinks: Bool) throws -> JSONValue {
    let found = try AdapterDirectory.summary(path, allowNonFinite: allowNonFinite, followSymlinks: followSymlinks)
    return [
        "kind": .string(found.isRewardModel ? "reward model adapter" : "language model adapter"), "path": .string(path),
        "base": found.base.map(JSONValue.string) ?? .null, "parameters": .integer(found.parameters),
        "chat_template": try noted(path) ?? .null, "rank": .integer(found.rank), "alpha": .number(found.alpha),
        "targets": .array(found.targets.map(JSONValue.string)),
        "blocks": found.blocks.map { .array($0.map(JSONValue.integer)) } ?? "all",
    ]
}

/// The chat template that was noted when a model or an adapter was trained.
private func noted(_ path: String) throws(Failure) -> JSONValue? {
    try Provenance(directory: path).map { .string($0.template.rawValue) }
}

private func describeRun(_ path: String) throws -> JSONValue {
    let directory = RunDirectory(path: path)
    let file = directory.file("config.yaml")
    let text = String(decoding: try readBytes(ofFile: file, limit: 1 << 21), as: UTF8.self)
    let configuration = try Configuration(yaml: text, file: file)
    let found = Stage.allCases.filter { stage in
        stage.outputs.contains { FileManager.default.fileExists(atPath: directory.file($0)) }
    }
    let complete = found.filter(directory.isComplete)
    return [
        "kind": "run", "path": .string(path), "name": .string(configuration.run.name),
        "seed": .string(String(configuration.run.seed)),
        "stages": .array(configuration.run.stages.map { .string($0.rawValue) }),
        "complete": .array(complete.map { .string($0.rawValue) }),
        "incomplete": .array(found.filter { !complete.contains($0) }.map { .string($0.rawValue) }),
        "status": .string(try directory.readStatus()?.line ?? "unknown"),
        "checkpoints": .array(try directory.trainings.flatMap { try describeCheckpoints($0, of: directory) }),
    ]
}

/// The checkpoints of a training, and whether each is as it was written.
private func describeCheckpoints(_ training: String, of directory: RunDirectory) throws -> [JSONValue] {
    let folder = directory.checkpoints(of: training)
    return try folder.steps().map { step in
        var problem: String?
        do {
            _ = try Checkpoint(path: folder.checkpoint(step))
        } catch {
            problem = "\(error)"
        }
        return [
            "training": .string(training), "step": .integer(step), "whole": .bool(problem == nil),
            "problem": problem.map(JSONValue.string) ?? .null,
        ]
    }
}

private func describeCheckpoint(_ path: String) throws -> JSONValue {
    // Reading it is the check.
    let checkpoint = try Checkpoint(path: URL(literalPath: path).standardizedFileURL.path)
    let manifest = checkpoint.manifest
    let vectors = manifest.vectors.sorted { $0.key < $1.key }.map { name, vector -> JSONValue in
        ["name": .string(name), "elements": .integer(vector.length), "parts": .integer(vector.parts.count)]
    }
    return [
        "kind": "checkpoint", "path": .string(path), "training": .string(manifest.training),
        "step": .integer(manifest.step), "bytes": .integer(manifest.files.values.reduce(0) { $0 + $1.bytes }),
        "files": .integer(manifest.files.count), "vectors": .array(vectors),
    ]
}

private func describeConfiguration(_ path: String) throws -> JSONValue {
    let text = String(decoding: try readBytes(ofFile: path, limit: 1 << 21), as: UTF8.self)
    let configuration = try Configuration(yaml: text, file: path)
    try requireInputs(of: configuration.run.stages, in: configuration)
    return [
        "kind": "configuration", "path": .string(path), "name": .string(configuration.run.name),
        "directory": .string(configuration.run.directory),
        "stages": .array(configuration.run.stages.map { .string($0.rawValue) }),
    ]
}

private func describeTensors(_ path: String) throws -> JSONValue {
    let file = try SafetensorsFile(path: path)
    let tensors = file.header.tensors.map { tensor -> JSONValue in
        [
            "name": .string(tensor.name), "type": .string(tensor.type.rawValue),
            "shape": .array(tensor.shape.map(JSONValue.integer)),
        ]
    }
    return ["kind": "tensors", "path": .string(path), "tensors": .array(tensors)]
}

private func describeData(_ path: String, _ request: PreferenceRequest) throws -> JSONValue {
    let fields = try firstFields(of: path)
    let isOwn = fields.contains(where: ["user_id", "chosen", "rejected", "responses"].contains)
    if try isOwn || request.namesRows(of: path) || DataPreset.recognizing(fields) != nil {
        return try describePreferences(path, request)
    }
    if !fields.contains("prompt"), fields.contains("messages") || holdsConversations(path) {
        return try describeTrainingTexts(path, request)
    }
    let (prompts, report) = try loadPromptTexts(path)
    let openings = prompts.count { if case .opening = $0 { true } else { false } }
    return [
        "kind": .string(openings == prompts.count ? "text" : "prompts"), "path": .string(path),
        "rows": .integer(report.rows), "kept": .integer(report.kept),
        "warnings": .array(report.warnings.map(JSONValue.string)),
    ]
}

/// An object as `key: value` lines, lists of objects indented below their key.
private func lines(_ value: JSONValue, indentation: String) -> [String] {
    guard let object = value.object else { return ["\(indentation)\(value.string ?? value.encoded())"] }
    return object.members.flatMap { key, value -> [String] in
        if let elements = value.array {
            if elements.isEmpty { return ["\(indentation)\(key): none"] }
            if elements.allSatisfy({ $0.string != nil }), key != "warnings" {
                return ["\(indentation)\(key): \(elements.compactMap(\.string).joined(separator: ", "))"]
            }
            return ["\(indentation)\(key):"] + elements.map { "\(indentation)  \($0.string ?? $0.encoded())" }
        }
        return ["\(indentation)\(key): \(value.string ?? value.encoded())"]
    }
}
