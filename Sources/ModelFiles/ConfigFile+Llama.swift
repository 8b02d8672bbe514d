import Failures
import LanguageModels
import StrictJSON

// Fields: transformers' `LlamaConfig`, `MistralConfig`, `Qwen2Config`, `Qwen3Config` and `Olmo2Config`, of versions 4
// and 5.

/// Reads the fields of the Llama family; refuses everything that would make the model compute something else
/// than we do.
func readLlama(_ fields: JSONFields, _ member: LlamaShape.Member) throws(Failure) -> ModelConfiguration {
    let activation = try fields.optionalString("hidden_act") ?? "silu"
    guard activation == "silu" else { throw fields.failure("hidden_act", "is '\(activation)'; supported: silu") }
    for key in ["mlp_bias"] where try fields.optionalBool(key) ?? false {
        throw fields.failure(key, "must be false")
    }
    let width = try fields.int("hidden_size", in: 1...(1 << 20))
    let heads = try fields.int("num_attention_heads", in: 1...(1 << 16))
    // Where it is not stated, heads of Qwen3 are 128 wide, and those of others share the width.
    let usual = member == .qwen3 ? 128 : width / heads
    let headWidth = try fields.optionalInt("head_dim", in: 1...(1 << 16)) ?? usual
    if fields.object["head_dim"].map(\.isNull) ?? true, member != .qwen3, width % heads != 0 {
        throw fields.failure("num_attention_heads", "must divide hidden_size: \(heads) heads for a width of \(width)")
    }
    guard headWidth % 2 == 0 else {
        throw fields.failure(
            fields.object["head_dim"] == nil ? "num_attention_heads" : "head_dim",
            "gives heads of width \(headWidth), which is odd; rotary positions need pairs"
        )
    }
    let keyValueHeads = try fields.optionalInt("num_key_value_heads", in: 1...(1 << 16)) ?? heads
    guard heads % keyValueHeads == 0 else {
        throw fields.failure(
            "num_key_value_heads",
            "must divide num_attention_heads: \(keyValueHeads) for \(heads) heads"
        )
    }
    let vocabulary = try fields.int("vocab_size", in: 1...Int(Int32.max))
    let epsilon = try fields.optionalDouble("rms_norm_eps", in: 1e-12...0.1) ?? (member == .olmo2 ? 1e-5 : 1e-6)
    return try ModelConfiguration(
        vocabularySize: vocabulary,
        positions: fields.int("max_position_embeddings", in: 1...Int(Int32.max)),
        width: width,
        layers: fields.int("num_hidden_layers", in: 1...10_000),
        heads: heads,
        innerWidth: fields.int("intermediate_size", in: 1...(1 << 22)),
        normEpsilon: Float(epsilon),
        endOfText: readEndOfText(fields, vocabulary: vocabulary),
        family: .llama(
            LlamaShape(
                member: member,
                keyValueHeads: keyValueHeads,
                headWidth: headWidth,
                rotary: readRotary(fields),
                attentionBias: readAttentionBias(fields, member),
                slidingWindow: readSlidingWindow(fields, member),
                tiesEmbeddings: fields.optionalBool("tie_word_embeddings") ?? false
            )
        )
    )
}

private func readAttentionBias(
    _ fields: JSONFields,
    _ member: LlamaShape.Member
) throws(Failure) -> LlamaShape.AttentionBias {
    switch member {
    case .llama, .qwen3: return try fields.optionalBool("attention_bias") ?? false ? .all : .none
    case .mistral: return .none
    case .qwen2: return .inputs
    case .olmo2:
        if try fields.optionalBool("attention_bias") ?? false {
            throw fields.failure("attention_bias", "must be false")
        }
        return .none
    }
}

private func readSlidingWindow(_ fields: JSONFields, _ member: LlamaShape.Member) throws(Failure) -> Int? {
    switch member {
    case .llama, .olmo2: return nil
    case .mistral: return try fields.optionalInt("sliding_window", in: 1...Int(Int32.max))
    case .qwen2, .qwen3:
        guard try fields.optionalBool("use_sliding_window") ?? false else { return nil }
        // The layers from this one on have a window, and here all have one or none.
        let first = try fields.optionalInt("max_window_layers", in: 0...Int(Int32.max)) ?? 28
        if try first >= fields.int("num_hidden_layers") { return nil }
        guard first == 0 else {
            throw fields.failure(
                "max_window_layers",
                "must be 0, or the number of layers or more, with a sliding window"
            )
        }
        return try fields.optionalInt("sliding_window", in: 1...Int(Int32.max))
    }
}

/// Version 5 keeps θ and the scaling together in `rope_parameters`; before, θ stood alone beside `rope_scaling`.
private func readRotary(_ fields: JSONFields) throws(Failure) -> RotaryPositions {
    let thetas = 1e-3...1e12
    let scaling: JSONFields?
    var theta = try fields.optionalDouble("rope_theta", in: thetas)
    if let parameters = try fields.optionalFields("rope_parameters") {
        scaling = parameters
        if let own = try parameters.optionalDouble("rope_theta", in: thetas) { theta = own }
    } else {
        scaling = try fields.optionalFields("rope_scaling")
    }
    if let factor = try scaling?.optionalDouble("partial_rotary_factor", in: 0...1), factor != 1 {
        throw fields.failure("partial_rotary_factor", "must be 1")
    }
    guard let scaling else { return RotaryPositions(theta: theta ?? 10_000) }
    return RotaryPositions(theta: theta ?? 10_000, scaling: try readScaling(scaling))
}

private func readScaling(_ fields: JSONFields) throws(Failure) -> RotaryPositions.Scaling {
    let factors = 1...1e6
    let older = try fields.optionalString("type") ?? "default"
    switch try fields.optionalString("rope_type") ?? older {
    case "default": return .none
    case "linear": return .linear(factor: try fields.double("factor", in: factors))
    case "llama3":
        let low = try fields.double("low_freq_factor", in: 1e-6...1e6)
        let high = try fields.double("high_freq_factor", in: 1e-6...1e6)
        guard low < high else { throw fields.failure("high_freq_factor", "must be above low_freq_factor, \(low)") }
        return .llama3(
            factor: try fields.double("factor", in: factors),
            lowFrequencyFactor: low,
            highFrequencyFactor: high,
            originalPositions: Double(try fields.int("original_max_position_embeddings", in: 1...Int(Int32.max)))
        )
    case let type: throw fields.failure("rope_type", "is '\(type)'; supported: default, linear, llama3")
    }
}

/// The members of the Llama family's file, in a form that versions 4 and 5 of `transformers` read.
func llamaObject(_ shape: ModelConfiguration, _ llama: LlamaShape) -> JSONObject {
    var object = JSONObject()
    if [.llama, .qwen3, .olmo2].contains(llama.member) {
        object["attention_bias"] = .bool(llama.attentionBias == .all)
    }
    if llama.member == .llama { object["mlp_bias"] = false }
    object["attention_dropout"] = 0.0
    object["eos_token_id"] = shape.endOfText.map { .integer(Int($0)) } ?? .null
    object["head_dim"] = .integer(llama.headWidth)
    object["hidden_act"] = "silu"
    object["hidden_size"] = .integer(shape.width)
    object["intermediate_size"] = .integer(shape.innerWidth)
    object["max_position_embeddings"] = .integer(shape.positions)
    object["model_type"] = .string(llama.member.rawValue)
    object["num_attention_heads"] = .integer(shape.heads)
    object["num_hidden_layers"] = .integer(shape.layers)
    object["num_key_value_heads"] = .integer(llama.keyValueHeads)
    object["rms_norm_eps"] = JSONValue(shape.normEpsilon)
    object["rope_scaling"] = scalingObject(llama.rotary.scaling)
    object["rope_theta"] = .number(llama.rotary.theta)
    if [.mistral, .qwen2, .qwen3].contains(llama.member) {
        object["sliding_window"] = llama.slidingWindow.map { .integer($0) } ?? .null
    }
    if [.qwen2, .qwen3].contains(llama.member) {
        object["max_window_layers"] = llama.slidingWindow == nil ? .integer(shape.layers) : 0
        object["use_sliding_window"] = .bool(llama.slidingWindow != nil)
    }
    object["tie_word_embeddings"] = .bool(llama.tiesEmbeddings)
    return object
}

private func scalingObject(_ scaling: RotaryPositions.Scaling) -> JSONValue {
    switch scaling {
    case .none: .null
    case .linear(let factor): ["factor": .number(factor), "rope_type": "linear"]
    case .llama3(let factor, let low, let high, let positions):
        [
            "factor": .number(factor), "high_freq_factor": .number(high), "low_freq_factor": .number(low),
            "original_max_position_embeddings": .integer(Int(positions)), "rope_type": "llama3",
        ]
    }
}
