import Failures
import LanguageModels
import StrictJSON

// Fields: transformers' `GPT2Config`.

/// Reads GPT-2's fields; refuses everything that would make the model compute something else than we do.
func readGPT2(_ fields: JSONFields) throws(Failure) -> ModelConfiguration {
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
    let width = try fields.int("n_embd", in: 1...(1 << 20))
    let heads = try fields.int("n_head", in: 1...(1 << 16))
    guard width % heads == 0 else {
        throw fields.failure("n_head", "must divide n_embd: \(heads) heads for a width of \(width)")
    }
    let epsilon = try fields.optionalDouble("layer_norm_epsilon", in: 1e-12...0.1) ?? 1e-5
    let vocabulary = try fields.int("vocab_size", in: 1...Int(Int32.max))
    return try ModelConfiguration(
        vocabularySize: vocabulary,
        positions: fields.int("n_positions", in: 1...Int(Int32.max)),
        width: width,
        layers: fields.int("n_layer", in: 1...10_000),
        heads: heads,
        innerWidth: fields.optionalInt("n_inner", in: 1...(1 << 22)),
        normEpsilon: Float(epsilon),
        endOfText: readEndOfText(fields, vocabulary: vocabulary)
    )
}

/// GPT-2's own members.
func gpt2Object(_ shape: ModelConfiguration) -> JSONObject {
    let endOfText = shape.endOfText.map { JSONValue.integer(Int($0)) } ?? .null
    var object = JSONObject()
    object["activation_function"] = "gelu_new"
    object["attn_pdrop"] = 0.0
    object["bos_token_id"] = endOfText
    object["embd_pdrop"] = 0.0
    object["eos_token_id"] = endOfText
    object["layer_norm_epsilon"] = JSONValue(shape.normEpsilon)
    object["model_type"] = "gpt2"
    object["n_embd"] = .integer(shape.width)
    object["n_head"] = .integer(shape.heads)
    object["n_inner"] = shape.innerWidth == 4 * shape.width ? .null : .integer(shape.innerWidth)
    object["n_layer"] = .integer(shape.layers)
    object["n_positions"] = .integer(shape.positions)
    object["resid_pdrop"] = 0.0
    object["tie_word_embeddings"] = true
    return object
}
