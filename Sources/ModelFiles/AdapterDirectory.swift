package import Failures
import Foundation
package import LanguageModels
import Tensors

/// PEFT adapter directories: `adapter_config.json`, `adapter_model.safetensors`, with a reward head as PEFT's
/// `modules_to_save` keeps it.
package enum AdapterDirectory {
    /// What PEFT's names of tensors begin with.
    private static let prefix = "base_model.model."

    /// What a directory holds, without its base.
    package struct Summary: Equatable, Sendable {
        /// r.
        package let rank: Int
        /// Its product is scaled by alpha/rank.
        package let alpha: Double
        /// The adapted layers, as PEFT's `target_modules`.
        package let targets: [String]
        /// The adapted blocks; nil: all.
        package let blocks: [Int]?
        /// Whether it is a reward model.
        package let isRewardModel: Bool
        /// Where the base was when it was written.
        package let base: String?
        /// Elements of all its tensors.
        package let parameters: Int
    }

    /// Whether a directory holds an adapter.
    package static func isAdapter(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: path + "/adapter_config.json")
    }

    /// Saves a model's adapters, and its reward head if it has one, so that `peft` loads them over the base; a value
    /// head is left out.
    ///
    /// Each file is written atomically.
    ///
    /// - Parameters:
    ///   - base: the directory of the model that is adapted, noted for people and for `peft`.
    ///   - source: the directory whose tokenizer files are copied; nil: none.
    package static func save(
        _ model: LanguageModel,
        to path: String,
        base: String,
        tokenizerFrom source: String?
    ) throws(Failure) {
        guard let adapters = model.adapters else {
            preconditionFailure("a model without adapters has no adapter directory")
        }
        try ModelDirectory.makeFolder(path)
        try ModelDirectory.copyTokenizer(from: source, to: path)
        let isRewardModel = model.head == .reward
        let text = AdapterConfigFile.text(adapters, model.configuration, isRewardModel: isRewardModel, base: base)
        try writeAtomically(Array(text.utf8), to: path + "/adapter_config.json")
        let parameters = model.parameters
        let written = parameters.entries.filter { isRewardModel || !parameters.headRange.contains($0.offset) }
        try writeSafetensors(
            written.map { (prefix + $0.name, $0.shape) },
            values: parameters.values.view(at: 0, shape: [written.last?.range.upperBound ?? 0]),
            to: path + "/adapter_model.safetensors"
        )
    }

    /// Loads an adapter over a base, whose trunk the new model shares and which must not change afterwards.
    ///
    /// - Parameters:
    ///   - head: the head that the adapter must have, `reward` or `none`; nil: whichever it has.
    ///   - allowNonFinite: accept NaN and infinite weights.
    ///   - followSymlinks: accept weights that are a link to a file outside the directory, as in a Hub cache.
    /// - Throws: `Failure` naming file, field or tensor; `configuration` for what we do not support or what does not
    ///   suit the base, `badData` for tensors that do not fit, `missingInput`, and `internalError` for weights that are
    ///   not finite.
    package static func load(
        _ path: String,
        over base: LanguageModel,
        head: Head? = nil,
        allowNonFinite: Bool = false,
        followSymlinks: Bool = false
    ) throws(Failure) -> LanguageModel {
        let config = try AdapterConfigFile(path: path + "/adapter_config.json")
        let found: Head = config.isRewardModel ? .reward : .none
        if let head, head != found {
            let kinds = config.isRewardModel ? ("reward", "language") : ("language", "reward")
            throw Failure(
                .configuration,
                "is the adapter of a \(kinds.0) model where a \(kinds.1) model is needed",
                at: path
            )
        }
        let adapters = try config.settings(for: base.configuration)
        let model = LanguageModel(
            base.configuration,
            head: found,
            precision: base.precision,
            trunk: base.sharedTrunk,
            adapters: adapters
        )
        try read(path, into: model.parameters, allowNonFinite: allowNonFinite, followSymlinks: followSymlinks)
        model.parametersDidChange()
        return model
    }

    /// What a directory holds; its tensors are read and, unless told otherwise, checked to be finite.
    ///
    /// - Throws: as `load`, but for what concerns the base.
    package static func summary(
        _ path: String,
        allowNonFinite: Bool = false,
        followSymlinks: Bool = false
    ) throws(Failure) -> Summary {
        let config = try AdapterConfigFile(path: path + "/adapter_config.json")
        let weights = try weights(in: path, followSymlinks: followSymlinks)
        let file = try SafetensorsFile(path: weights)
        var parameters = 0
        for stored in file.header.tensors {
            let tensor = Tensor(zeros: [stored.shape.reduce(1, *)])
            try file.read(stored, into: tensor)
            if !allowNonFinite { try requireFinite(tensor, stored.name, at: weights) }
            parameters += tensor.count
        }
        return Summary(
            rank: config.rank,
            alpha: config.alpha,
            targets: config.targets,
            blocks: config.blocks,
            isRewardModel: config.isRewardModel,
            base: config.base,
            parameters: parameters
        )
    }

    private static func weights(in directory: String, followSymlinks: Bool) throws(Failure) -> String {
        let path = directory + "/adapter_model.safetensors"
        if !followSymlinks { try checkInside(folder: directory, file: path) }
        return path
    }

    /// Reads the tensors of a directory's weights into their places in the flat vector; there must be each of them and
    /// no other.
    static func read(
        _ directory: String,
        into parameters: Parameters,
        allowNonFinite: Bool = false,
        followSymlinks: Bool
    ) throws(Failure) {
        let path = try weights(in: directory, followSymlinks: followSymlinks)
        let file = try SafetensorsFile(path: path)
        let stored = Dictionary(file.header.tensors.map { ($0.name, $0) }) { first, _ in first }
        var faults: [String] = []
        for entry in parameters.entries {
            let tensor = stored[prefix + entry.name]
            if tensor == nil { faults.append("'\(prefix)\(entry.name)' is missing") }
            if let tensor, tensor.shape != entry.shape {
                faults.append("'\(tensor.name)' is \(tensor.shape), expected \(entry.shape)")
            }
        }
        let known = Set(parameters.entries.map { prefix + $0.name })
        faults += file.header.tensors.filter { !known.contains($0.name) }.map { "'\($0.name)' belongs to no adapter" }
        guard faults.isEmpty else {
            let rest = faults.count > 10 ? " and \(faults.count - 10) more" : ""
            throw Failure(
                .badData,
                "tensors do not fit adapter_config.json and the base: " + faults.prefix(10).joined(separator: "; ")
                    + rest,
                at: path
            )
        }
        for entry in parameters.entries {
            guard let tensor = stored[prefix + entry.name] else { continue }
            let values = parameters.values.view(at: entry.offset, shape: entry.shape)
            try file.read(tensor, into: values)
            if !allowNonFinite { try requireFinite(values, tensor.name, at: path) }
        }
    }
}
