import Failures
import LanguageModels
import StrictJSON

/// What a PEFT `adapter_config.json` says: plain LoRA on the linear layers of blocks, with a reward head or without.
struct AdapterConfigFile {
    let rank: Int
    let alpha: Double
    /// Of training; what the adapter computes does not depend on it.
    let dropout: Double
    let targets: [String]
    /// The adapted blocks; nil: all.
    let blocks: [Int]?
    /// Whether it adapts a sequence classifier, which is how a reward model is written.
    let isRewardModel: Bool
    /// The directory or name of the base, for people.
    let base: String?
    private let fields: JSONFields

    /// Keys that say nothing about what the adapter computes; the others must be those read here, or off.
    private static let unread = [
        "auto_mapping", "fan_in_fan_out", "inference_mode", "megatron_core", "peft_version",
        "qalora_group_size", "revision",
    ]
    private static let read = [
        "base_model_name_or_path", "bias", "init_lora_weights", "layers_to_transform", "lora_alpha", "lora_dropout",
        "modules_to_save", "peft_type", "r", "target_modules", "task_type",
    ]

    init(path: String) throws(Failure) {
        let value = try JSONValue(contentsOfFile: path, limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 16))
        fields = try JSONFields(value, at: path, code: .configuration)
        let type = try fields.string("peft_type")
        guard type == "LORA" else { throw fields.failure("peft_type", "is '\(type)'; supported: LORA") }
        for (key, value) in fields.object.members where !(Self.unread + Self.read).contains(key) && !Self.isOff(value) {
            throw fields.failure(
                key,
                "is \(value.encoded()), which is not supported; merge the adapter with peft instead"
            )
        }
        let bias = try fields.optionalString("bias") ?? "none"
        guard bias == "none" else { throw fields.failure("bias", "is '\(bias)'; supported: none") }
        // PiSSA and its kin change the base, which a file of A and B does not hold.
        let start = fields.object["init_lora_weights"]?.string
        guard start == nil || start == "gaussian" else {
            throw fields.failure(
                "init_lora_weights",
                "is '\(start ?? "")', which changes the base; convert it to plain LoRA"
            )
        }
        for module in try fields.optionalArray("modules_to_save") ?? [] where !Self.isHead(module) {
            throw fields.failure("modules_to_save", "has \(module.encoded()); only a reward head, score, is supported")
        }
        rank = try fields.int("r", in: 1...(1 << 16))
        alpha = try fields.double("lora_alpha")
        dropout = try fields.optionalDouble("lora_dropout") ?? 0
        let all = fields.object["target_modules"]?.string == AdapterSettings.allLinear
        targets = all ? [AdapterSettings.allLinear] : try fields.strings("target_modules")
        blocks = try Self.adaptedBlocks(fields)
        isRewardModel = try fields.optionalString("task_type") == "SEQ_CLS"
        base = try fields.optionalString("base_model_name_or_path")
    }

    /// The adapters that it states for a model of this shape.
    ///
    /// - Throws: `Failure(.configuration)` for layers that the shape lacks, and for blocks that are not the last ones.
    func settings(for configuration: ModelConfiguration) throws(Failure) -> AdapterSettings {
        var settings = AdapterSettings(rank: rank, alpha: alpha, targets: targets, dropout: dropout)
        if let blocks, Set(blocks) != Set(0..<configuration.layers) {
            let last = configuration.layers - blocks.count..<configuration.layers
            guard !blocks.isEmpty, Set(blocks) == Set(last) else {
                throw fields.failure(
                    "layers_to_transform",
                    "is \(blocks) of \(configuration.layers) blocks; only the last ones, of any number, are supported"
                )
            }
            settings.topLayers = blocks.count
        }
        if let unknown = settings.unknownTargets(of: configuration).first {
            let known = configuration.linearLayers.map(\.name).joined(separator: ", ")
            throw fields.failure(
                "target_modules",
                "has '\(unknown)', which is no linear layer of a block of this base: \(known)"
            )
        }
        return settings
    }

    /// The text of an `adapter_config.json` that `peft` loads.
    static func text(
        _ adapters: AdapterSettings,
        _ configuration: ModelConfiguration,
        isRewardModel: Bool,
        base: String
    ) -> String {
        let all = configuration.linearLayers.map(\.name)
        let targets = adapters.targets.contains(AdapterSettings.allLinear) ? all : adapters.targets
        var object = JSONObject()
        object["peft_type"] = "LORA"
        object["task_type"] = isRewardModel ? "SEQ_CLS" : "CAUSAL_LM"
        object["base_model_name_or_path"] = .string(base)
        object["r"] = .integer(adapters.rank)
        object["lora_alpha"] = .number(adapters.alpha)
        object["lora_dropout"] = .number(adapters.dropout)
        object["target_modules"] = .array(targets.map(JSONValue.string))
        object["layers_to_transform"] =
            adapters.topLayers == nil ? .null : .array(adapters.adaptedBlocks(of: configuration).map(JSONValue.integer))
        object["bias"] = "none"
        object["fan_in_fan_out"] = .bool(configuration.llama == nil)
        object["modules_to_save"] = isRewardModel ? ["score"] : .null
        object["inference_mode"] = true
        return JSONValue.object(object).encoded(pretty: true)
    }

    /// `layers_to_transform`: a list, or one number.
    private static func adaptedBlocks(_ fields: JSONFields) throws(Failure) -> [Int]? {
        let value = fields.object["layers_to_transform"] ?? .null
        if let block = value.integer { return [block] }
        return value.isNull ? nil : try fields.ints("layers_to_transform")
    }

    private static func isOff(_ value: JSONValue) -> Bool {
        value.isNull || value.bool == false || value.array?.isEmpty == true || value.object?.count == 0
    }

    /// `classifier` is what other families call it; PEFT names both.
    private static func isHead(_ module: JSONValue) -> Bool {
        module.string == "score" || module.string == "classifier"
    }
}
