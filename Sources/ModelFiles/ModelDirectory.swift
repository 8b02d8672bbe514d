package import Failures
import Foundation
package import LanguageModels
import StrictJSON
import Tensors

/// A model read from a directory.
package struct LoadedModel {
    /// The model.
    package let model: LanguageModel
    /// Where its tokenizer is: the path of a `tokenizer.json`, which may be missing.
    package let tokenizerFile: String
    /// What is odd about the directory though the model could be read; one line each.
    package let warnings: [String]
}

/// Hugging Face model directories: `config.json`, `model.safetensors` (or shards with their index), `tokenizer.json`.
package enum ModelDirectory {
    /// What is copied beside a saved model so that it is complete.
    private static let tokenizerFiles = [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json",
        "chat_template.jinja",
    ]

    /// Reads only the shape of a model.
    package static func configuration(_ path: String) throws(Failure) -> ModelConfiguration {
        try ConfigFile(path: path + "/config.json").configuration
    }

    /// Whether the directory holds a reward model.
    package static func isRewardModel(_ path: String) throws(Failure) -> Bool {
        try ConfigFile(path: path + "/config.json").isRewardModel
    }

    /// Loads a model.
    ///
    /// - Parameters:
    ///   - path: the directory.
    ///   - precision: the type of products; the parameters are fp32 in any case.
    ///   - head: the head it shall have; nil: a reward head if the directory has one, else none. A head that the
    ///     directory lacks is initialized by `seed`.
    ///   - allowNonFinite: accept NaN and infinite weights.
    ///   - followSymlinks: accept weights that are links to files outside the directory, as in a Hub cache.
    ///   - sharingWorkspace: a model of the same precision with whose passes this one's share memory; nil: none.
    /// - Throws: `Failure` naming file, tensor or field; `configuration` for what we do not support, `badData` for
    ///   files that are malformed or do not fit together, `missingInput`, and `internalError` for weights that are not
    ///   finite.
    package static func load(
        _ path: String,
        precision: Precision,
        head: Head? = nil,
        seed: UInt64 = 0,
        allowNonFinite: Bool = false,
        followSymlinks: Bool = false,
        sharingWorkspace other: LanguageModel? = nil
    ) throws(Failure) -> LoadedModel {
        let (config, head) = try readConfig(path, precision: precision, head: head)
        try config.checkMemory()
        let weights = try WeightFiles(
            directory: path,
            configuration: config.configuration,
            followSymlinks: followSymlinks
        )
        let entries = Parameters.layout(config.configuration, head: head)
        let places = try weights.match(entries, configuration: config.configuration)
        let model = LanguageModel(config.configuration, head: head, precision: precision, sharingWorkspace: other)
        try weights.read(places, into: model.parameters, allowNonFinite: allowNonFinite)
        if places.last?.location == nil {
            model.initializeHead(seed: seed)
        }
        model.parametersDidChange()
        return LoadedModel(
            model: model,
            tokenizerFile: path + "/tokenizer.json",
            warnings: weights.warnings
        )
    }

    /// Opens a model whose trunk is never trained: its weights stay in the files and are read as they are touched,
    /// whatever their size; every process on a machine shares them.
    ///
    /// Weights are used in place where the files have them in a type no wider than the operands of products are (BF16
    /// and F16, and F32 for fp32), else copied.
    ///
    /// - Parameters:
    ///   - checksFinite: refuse weights that are not finite, which reads them all.
    ///   - sharingWorkspace: a model of the same precision with whose passes this one's share memory; nil: none.
    /// - Throws: as `load`; `configuration` also where copies would not fit into memory.
    package static func open(
        _ path: String,
        precision: Precision,
        head: Head? = nil,
        seed: UInt64 = 0,
        followSymlinks: Bool = false,
        checksFinite: Bool = false,
        sharingWorkspace other: LanguageModel? = nil
    ) throws(Failure) -> LoadedModel {
        let (config, head) = try readConfig(path, precision: precision, head: head)
        let configuration = config.configuration
        let weights = try WeightFiles(
            directory: path,
            configuration: configuration,
            followSymlinks: followSymlinks
        )
        let places = try weights.match(
            Parameters.layout(configuration, head: head),
            configuration: configuration
        )
        let trunk = try weights.frozenTrunk(
            places,
            precision: precision,
            checksFinite: checksFinite,
            sharingWorkspace: other
        )
        let model = LanguageModel(configuration, head: head, precision: precision, trunk: trunk)
        let heads = places.compactMap { entry, location in
            model.parameters.entry(named: entry.name).map { (entry: $0, location: location) }
        }
        try weights.read(heads, into: model.parameters, allowNonFinite: !checksFinite)
        if heads.contains(where: { $0.location == nil }) { model.initializeHead(seed: seed) }
        model.parametersDidChange()
        return LoadedModel(model: model, tokenizerFile: path + "/tokenizer.json", warnings: weights.warnings)
    }

    /// Reads all of a model's files and checks them as `load` does, in bounded memory.
    ///
    /// - Returns: how many parameters the model has, and what is odd about the directory.
    /// - Throws: as `load`, but for a lack of memory.
    package static func verify(
        _ path: String,
        allowNonFinite: Bool = false,
        followSymlinks: Bool = false
    ) throws(Failure) -> (parameters: Int, warnings: [String]) {
        let (config, head) = try readConfig(path, precision: .float32, head: nil)
        let weights = try WeightFiles(
            directory: path,
            configuration: config.configuration,
            followSymlinks: followSymlinks
        )
        let entries = Parameters.layout(config.configuration, head: head)
        let places = try weights.match(entries, configuration: config.configuration)
        try weights.check(places, allowNonFinite: allowNonFinite)
        return (entries.last?.range.upperBound ?? 0, weights.warnings)
    }

    /// The configuration and the head that a model shall have.
    private static func readConfig(
        _ path: String,
        precision: Precision,
        head: Head?
    ) throws(Failure) -> (config: ConfigFile, head: Head) {
        let config = try ConfigFile(path: path + "/config.json")
        if config.isRewardModel && head == Head.none {
            throw Failure(.configuration, "is a reward model where a language model is needed", at: path)
        }
        return (config, head ?? (config.isRewardModel ? .reward : .none))
    }

    /// Saves a model so that `transformers` loads it: as `GPT2LMHeadModel`, `LlamaForCausalLM` and so on, or with a
    /// reward head as `GPT2ForSequenceClassification` and so on, with one label.
    ///
    /// Each file is written atomically. The reward of a sequence is the classifier's logit; `pad_token_id` is not set,
    /// so `transformers` takes one sequence at a time.
    ///
    /// - Parameters:
    ///   - base: the model whose trunk it shares, where it has no weights of its own but a head's; nil: none.
    ///   - tokenizerFrom: the directory whose tokenizer files are copied; nil: none.
    ///   - keepsValueHead: also write a value head's tensors, for going on with training; `transformers` ignores them.
    package static func save(
        _ model: LanguageModel,
        over base: LanguageModel? = nil,
        to path: String,
        tokenizerFrom source: String?,
        keepsValueHead: Bool = false
    ) throws(Failure) {
        try makeFolder(path)
        try copyTokenizer(from: source, to: path)
        let text = ConfigFile.text(model.configuration, isRewardModel: model.head == .reward)
        try writeAtomically(Array(text.utf8), to: path + "/config.json")
        if model.hasFrozenTrunk { return try saveHead(model, over: base, to: path) }
        let parameters = model.parameters
        let isWritten = { (entry: Parameters.Entry) in
            model.head.valueCount == 0 || keepsValueHead || !parameters.headRange.contains(entry.offset)
        }
        let written = parameters.entries.filter(isWritten)
        let count = written.last?.range.upperBound ?? 0
        try writeSafetensors(
            written.map { ($0.name, $0.shape) },
            values: parameters.values.view(at: 0, shape: [count]),
            to: path + "/model.safetensors"
        )
    }

    /// Writes the trunk of a base with another model's head.
    private static func saveHead(
        _ model: LanguageModel,
        over base: LanguageModel?,
        to path: String
    ) throws(Failure) {
        guard let base, !base.hasFrozenTrunk, model.adapters == nil, model.head == .reward else {
            preconditionFailure("a frozen trunk has files of its own")
        }
        let entries = Parameters.layout(model.configuration, head: model.head)
        try writeSafetensors(entries.map { ($0.name, $0.shape) }, .float32, to: path + "/model.safetensors") {
            tensor,
            range in
            let name = entries[tensor].name
            let owner = model.parameters.entry(named: name) == nil ? base.parameters : model.parameters
            guard let entry = owner.entry(named: name) else { preconditionFailure("no parameter is named \(name)") }
            return owner.values.view(at: entry.offset + range.lowerBound, shape: [range.count]).array()
        }
    }

    /// Makes a directory and those above it.
    static func makeFolder(_ path: String) throws(Failure) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.cannotCreate, "folder cannot be created", at: path)
        }
    }

    /// Copies the tokenizer files of a directory beside a model; the directory may be the model's own.
    static func copyTokenizer(from source: String?, to path: String) throws(Failure) {
        if let source, !isSame(source, path) {
            for name in tokenizerFiles where FileManager.default.fileExists(atPath: "\(source)/\(name)") {
                try writeAtomically(readBytes(ofFile: "\(source)/\(name)", limit: 256 << 20), to: "\(path)/\(name)")
            }
        }
    }

    private static func isSame(_ a: String, _ b: String) -> Bool {
        URL(literalPath: a).resolvingSymlinksInPath().path == URL(literalPath: b).resolvingSymlinksInPath().path
    }
}
