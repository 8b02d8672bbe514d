import Foundation
import ModelFiles
import Tensors

@testable import LanguageModels

/// A golden file that `Tests/Fixtures/LanguageModels/make_golden.py` made with `transformers`.
struct GoldenModel {
    static let names = [
        "small", "odd", "deep", "llama3", "llama-bias", "mistral", "qwen2", "qwen3", "olmo2", "llama32",
    ]

    let name: String
    let configuration: ModelConfiguration
    let sequences: [[Int32]]
    private let values: [String: [Float]]

    init(_ name: String) throws {
        let file = try goldenFile(name)
        let values = try goldenValues(file)
        self.name = name
        self.values = values
        if let text = file.header.metadata.first(where: { $0.key == "config.json" })?.value {
            configuration = try Self.configuration(text)
        } else {
            let shape = (values["config"] ?? []).map { Int($0) }
            configuration = ModelConfiguration(
                vocabularySize: shape[0],
                positions: shape[1],
                width: shape[2],
                layers: shape[3],
                heads: shape[4],
                innerWidth: shape[5]
            )
        }
        sequences = (0..<4).map { (values["sequence.\($0)"] ?? []).map { Int32($0) } }
    }

    /// What a `config.json` of `transformers` says, read as from a model directory.
    private static func configuration(_ text: String) throws -> ModelConfiguration {
        let folder = FileManager.default.temporaryDirectory.appending(path: "golden-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data(text.utf8).write(to: folder.appending(path: "config.json"))
        return try ModelDirectory.configuration(folder.path)
    }

    /// A stored list; empty, which no comparison accepts, where there is none of that name.
    subscript(_ name: String) -> [Float] { values[name] ?? [] }

    /// The model with the golden weights.
    func model(head: Head, precision: Precision) -> LanguageModel {
        let model = LanguageModel(configuration, head: head, precision: precision)
        for entry in model.parameters.entries {
            let stored = self[entry.name == "score.weight" ? entry.name : "weight.\(entry.name)"]
            model.parameters.values.view(at: entry.offset, shape: [entry.count]).copy(from: stored)
        }
        model.parametersDidChange()
        return model
    }
}

/// A golden file.
func goldenFile(_ name: String) throws -> SafetensorsFile {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/LanguageModels/\(name).golden").path
    return try SafetensorsFile(path: path)
}

/// Its tensors by name.
func goldenValues(_ file: borrowing SafetensorsFile) throws -> [String: [Float]] {
    var values: [String: [Float]] = [:]
    for stored in file.header.tensors {
        let tensor = Tensor(zeros: [stored.bytes.count / 4])
        try file.read(stored, into: tensor)
        values[stored.name] = tensor.array()
    }
    return values
}

/// Mean next-token loss and its gradients.
func nextTokenLoss(_ model: LanguageModel, _ sequences: PackedSequences) -> Double {
    let rows = sequences.predictingRows
    let scores = model.forwardTokenScores(sequences, rows: rows, temperature: 1)
    model.parameters.gradients.fill(0)
    model.backwardTokenScores(
        dLogProbabilities: Array(repeating: -1 / Float(rows.count), count: rows.count),
        dValues: []
    )
    return -scores.logProbabilities.reduce(0.0) { $0 + Double($1) } / Double(rows.count)
}

/// Bradley–Terry loss of (chosen, rejected) pairs that follow each other, and its gradients.
func pairLoss(_ model: LanguageModel, _ sequences: PackedSequences) -> Double {
    let rewards = model.forwardRewards(sequences).map { Double($0) }
    let pairs = rewards.count / 2
    var loss = 0.0
    var dRewards = [Float](repeating: 0, count: rewards.count)
    for pair in 0..<pairs {
        let difference = rewards[2 * pair] - rewards[2 * pair + 1]
        loss += log1p(exp(-difference)) / Double(pairs)
        let slope = Float(-1 / (1 + exp(difference)) / Double(pairs))
        dRewards[2 * pair] = slope
        dRewards[2 * pair + 1] = -slope
    }
    model.parameters.gradients.fill(0)
    model.backwardRewards(dRewards)
    return loss
}
