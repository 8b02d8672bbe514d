import Failures
import Foundation
import LanguageModels
import StrictJSON

/// What a Hugging Face `config.json` says.
struct ConfigFile {
    let configuration: ModelConfiguration
    /// Whether it is a sequence classifier with one label, which is how a reward model is written.
    let isRewardModel: Bool
    private let fields: JSONFields

    init(path: String) throws(Failure) {
        let value = try JSONValue(contentsOfFile: path, limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 16))
        fields = try JSONFields(value, at: path, code: .configuration)
        for key in ["auto_map", "quantization_config"] {
            if let value = fields.object[key], !value.isNull {
                throw fields.failure(key, "is not supported")
            }
        }
        let type = try fields.string("model_type")
        if type == "gpt2" {
            configuration = try readGPT2(fields)
        } else if let member = LlamaShape.Member(rawValue: type) {
            configuration = try readLlama(fields, member)
        } else {
            let supported = ["gpt2"] + LlamaShape.Member.allCases.map(\.rawValue)
            throw fields.failure("model_type", "is '\(type)'; supported: \(supported.joined(separator: ", "))")
        }
        let architectures = fields.object["architectures"]?.array ?? []
        isRewardModel = architectures.contains { $0.string?.hasSuffix("ForSequenceClassification") == true }
        if isRewardModel, let labels = try fields.optionalFields("id2label"), labels.object.count != 1 {
            throw fields.failure("id2label", "has \(labels.object.count) labels; a reward model has one")
        }
    }

    /// Refuses a shape whose parameters and gradients alone exceed the machine's memory, before anything is allocated.
    func checkMemory() throws(Failure) {
        let shape = configuration
        let tables = Double(shape.vocabularySize) + (shape.llama == nil ? Double(shape.positions) : 0)
        let untied = shape.llama?.tiesEmbeddings == false ? Double(shape.vocabularySize) : 0
        let parameters =
            (tables + untied) * Double(shape.width) + Double(shape.layers) * Double(shape.blockMatrixElements)
        let needed = 8 * parameters
        let memory = Double(ProcessInfo.processInfo.physicalMemory)
        guard needed <= memory else {
            let gib = { (bytes: Double) in "\((bytes / 0x1p30 * 10).rounded() / 10) GiB" }
            let keys =
                shape.llama == nil
                ? "vocab_size, n_positions, n_embd and n_layer"
                : "vocab_size, hidden_size, intermediate_size and num_hidden_layers"
            throw Failure(
                .configuration,
                "\(keys) make a model of \(gib(needed)); this machine has \(gib(memory))",
                at: fields.location
            )
        }
    }

    /// The text of a `config.json` that `transformers` loads.
    static func text(_ shape: ModelConfiguration, isRewardModel: Bool, type: StoredType = .float32) -> String {
        var object = shape.llama.map { llamaObject(shape, $0) } ?? gpt2Object(shape)
        let model = architecturePrefix(shape) + (shape.llama == nil ? "LMHeadModel" : "ForCausalLM")
        let classifier = architecturePrefix(shape) + "ForSequenceClassification"
        object["architectures"] = [.string(isRewardModel ? classifier : model)]
        object["dtype"] = type == .bfloat16 ? "bfloat16" : "float32"
        if isRewardModel {
            object["id2label"] = ["0": "LABEL_0"]
            object["label2id"] = ["LABEL_0": 0]
        }
        object["initializer_range"] = 0.02
        object["pad_token_id"] = .null
        object["use_cache"] = true
        object["vocab_size"] = .integer(shape.vocabularySize)
        return JSONValue.object(object).encoded(pretty: true)
    }

    private static func architecturePrefix(_ shape: ModelConfiguration) -> String {
        switch shape.llama?.member {
        case nil: "GPT2"
        case .llama: "Llama"
        case .mistral: "Mistral"
        case .qwen2: "Qwen2"
        case .qwen3: "Qwen3"
        case .olmo2: "Olmo2"
        }
    }
}

/// The first end-of-text token: newer chat models name several.
func readEndOfText(_ fields: JSONFields, vocabulary: Int) throws(Failure) -> Int32? {
    guard fields.object["eos_token_id"]?.array != nil else {
        return try fields.optionalInt("eos_token_id", in: 0...(vocabulary - 1)).map { Int32($0) }
    }
    return try fields.ints("eos_token_id", in: 0...(vocabulary - 1)).first.map { Int32($0) }
}
