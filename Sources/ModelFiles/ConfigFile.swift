import Failures
import Foundation
import LanguageModels
import StrictJSON

// Hugging Face's `config.json` of a GPT-2 model. Fields: transformers' `GPT2Config`.

/// What a `config.json` says.
struct ConfigFile {
    let configuration: ModelConfiguration
    /// Whether it is a sequence classifier with one label, which is how a reward model is written.
    let isRewardModel: Bool

    init(path: String) throws(Failure) {
        let value = try JSONValue(contentsOfFile: path, limits: JSONLimits(maximumBytes: 1 << 20, maximumDepth: 16))
        let fields = try JSONFields(value, at: path, code: .configuration)
        try Self.refuseForeign(fields)
        let width = try fields.int("n_embd", in: 1...(1 << 20))
        let heads = try fields.int("n_head", in: 1...(1 << 16))
        guard width % heads == 0 else {
            throw fields.failure("n_head", "must divide n_embd: \(heads) heads for a width of \(width)")
        }
        let epsilon = try fields.optionalDouble("layer_norm_epsilon", in: 1e-12...0.1) ?? 1e-5
        let vocabulary = try fields.int("vocab_size", in: 1...Int(Int32.max))
        configuration = try ModelConfiguration(
            vocabularySize: vocabulary,
            positions: fields.int("n_positions", in: 1...Int(Int32.max)),
            width: width,
            layers: fields.int("n_layer", in: 1...10_000),
            heads: heads,
            innerWidth: fields.optionalInt("n_inner", in: 1...(1 << 22)),
            layerNormEpsilon: Float(epsilon),
            endOfText: fields.optionalInt("eos_token_id", in: 0...(vocabulary - 1)).map { Int32($0) }
        )
        try Self.checkMemory(configuration, fields)
        let architectures = fields.object["architectures"]?.array ?? []
        isRewardModel = architectures.contains { $0.string == "GPT2ForSequenceClassification" }
        if isRewardModel, let labels = try fields.optionalFields("id2label"), labels.object.count != 1 {
            throw fields.failure("id2label", "has \(labels.object.count) labels; a reward model has one")
        }
    }

    /// Everything that would make the model compute something else than we do.
    private static func refuseForeign(_ fields: JSONFields) throws(Failure) {
        for key in ["auto_map", "quantization_config"] {
            if let value = fields.object[key], !value.isNull {
                throw fields.failure(key, "is not supported")
            }
        }
        let type = try fields.string("model_type")
        guard type == "gpt2" else { throw fields.failure("model_type", "is '\(type)'; supported: gpt2") }
        let activation = try fields.optionalString("activation_function") ?? "gelu_new"
        guard activation == "gelu_new" || activation == "gelu_pytorch_tanh" else {
            throw fields.failure("activation_function", "is '\(activation)'; supported: gelu_new")
        }
        let expected = [
            ("scale_attn_weights", true), ("tie_word_embeddings", true), ("scale_attn_by_inverse_layer_idx", false),
            ("reorder_and_upcast_attn", false), ("add_cross_attention", false),
        ]
        for (key, wanted) in expected where try fields.optionalBool(key) ?? wanted != wanted {
            throw fields.failure(key, "must be \(wanted)")
        }
    }

    /// Refuses a shape whose parameters and gradients alone exceed the machine's memory, before anything is allocated.
    private static func checkMemory(_ shape: ModelConfiguration, _ fields: JSONFields) throws(Failure) {
        let d = Double(shape.width)
        let block = 4 * d * d + 2 * d * Double(shape.innerWidth)
        let parameters = (Double(shape.vocabularySize) + Double(shape.positions)) * d + Double(shape.layers) * block
        let needed = 8 * parameters
        let memory = Double(ProcessInfo.processInfo.physicalMemory)
        guard needed <= memory else {
            let gib = { (bytes: Double) in "\((bytes / 0x1p30 * 10).rounded() / 10) GiB" }
            throw Failure(
                .configuration,
                "vocab_size, n_positions, n_embd and n_layer make a model of \(gib(needed)); this machine has \(gib(memory))",
                at: fields.place
            )
        }
    }

    /// The text of a `config.json` that `transformers` loads.
    static func text(_ shape: ModelConfiguration, isRewardModel: Bool) -> String {
        let endOfText = shape.endOfText.map { JSONValue.integer(Int($0)) } ?? .null
        var object = JSONObject()
        object["activation_function"] = "gelu_new"
        object["architectures"] = [isRewardModel ? "GPT2ForSequenceClassification" : "GPT2LMHeadModel"]
        object["attn_pdrop"] = 0.0
        object["bos_token_id"] = endOfText
        object["dtype"] = "float32"
        object["embd_pdrop"] = 0.0
        object["eos_token_id"] = endOfText
        if isRewardModel {
            object["id2label"] = ["0": "LABEL_0"]
            object["label2id"] = ["LABEL_0": 0]
        }
        object["initializer_range"] = 0.02
        object["layer_norm_epsilon"] = JSONValue(shape.layerNormEpsilon)
        object["model_type"] = "gpt2"
        object["n_embd"] = .integer(shape.width)
        object["n_head"] = .integer(shape.heads)
        object["n_inner"] = shape.innerWidth == 4 * shape.width ? .null : .integer(shape.innerWidth)
        object["n_layer"] = .integer(shape.layers)
        object["n_positions"] = .integer(shape.positions)
        object["pad_token_id"] = .null
        object["resid_pdrop"] = 0.0
        object["tie_word_embeddings"] = true
        object["use_cache"] = true
        object["vocab_size"] = .integer(shape.vocabularySize)
        return JSONValue.object(object).encoded(pretty: true)
    }
}
