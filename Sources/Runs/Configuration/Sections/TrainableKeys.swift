import Failures
import LanguageModels
import RewardMixture
import StrictYAML

/// Which parameters of a model are trained.
package enum TrainableKind: String, CaseIterable, Sendable {
    case full, lora, head
    /// All of one backbone with a reward head for each group (SharedRep-RLHF, arXiv 2509.03672).
    case shared
    /// Adapters of one backbone, with a reward head for each group.
    case sharedLoRA = "shared-lora"

    /// Whether the groups' reward models are heads on one backbone.
    package var isShared: Bool { self == .shared || self == .sharedLoRA }
    /// Whether adapters of a frozen model are trained.
    package var hasAdapters: Bool { self == .lora || self == .sharedLoRA }
    /// Whether all of a model is trained.
    package var isWhole: Bool { self == .full || self == .shared }
}

/// Keys of low-rank adapters (LoRA, arXiv 2106.09685), for stages that train adapters.
extension AdapterSettings {
    mutating func read(_ keys: inout SectionReader) {
        keys.read("rank", &rank, .integer(.from(1, to: 1 << 16)), "Inner width r of an adapter.")
        keys.read("alpha", &alpha, .number(.above(0)), "An adapter's product is scaled by alpha/rank.")
        keys.read(
            "targets",
            &targets,
            .texts,
            "Adapted layers of the blocks, named as in PEFT's `target_modules`; all-linear: every linear layer."
        )
        keys.read(
            "top_layers",
            &topLayers,
            .optional(.integer(.atLeast(1), unit: "blocks")),
            "How many of the last blocks have adapters; null: all."
        )
        keys.read(
            "dropout",
            &dropout,
            .number(.from(0, to: 0.9)),
            "Probability with which a training step drops an element of an adapter's input."
        )
    }

    /// - Throws: `Failure` 78 naming the key, where a model of this shape lacks a target or has too few blocks.
    func require(_ shape: ModelConfiguration, at section: String) throws(Failure) {
        let known = shape.linearLayers.map(\.name)
        if let unknown = unknownTargets(of: shape).first {
            throw Failure(
                .configuration,
                "'\(unknown)' is no linear layer of a block of model.path; these are \(known.joined(separator: ", "))",
                at: "\(section).targets"
            )
        }
        guard !targets.isEmpty else {
            throw Failure(.configuration, "names no layer; use all-linear for every one", at: "\(section).targets")
        }
        if let topLayers, topLayers > shape.layers {
            throw Failure(
                .configuration,
                "is \(topLayers), but the model has \(shape.layers) blocks; null means all",
                at: "\(section).top_layers"
            )
        }
    }
}

extension TrainableKind {
    /// What is trained of a model of this shape; `section` has the keys of adapters.
    func parameters(
        of shape: ModelConfiguration,
        lora: AdapterSettings,
        at section: String
    ) throws(Failure) -> TrainableParameters {
        switch self {
        case .full, .shared: return .full
        case .head: return .head
        case .lora, .sharedLoRA:
            try lora.require(shape, at: "\(section).lora")
            return .adapters(lora)
        }
    }
}

extension RewardSection {
    /// How many models are trained at once, at most.
    package var mostTrained: Int { (trainable.isShared ? 1 : mixture.mostGroups) * mixture.mostParts }

    /// What is trained of each reward model.
    func trained(of shape: ModelConfiguration) throws(Failure) -> TrainableParameters {
        try trainable.parameters(of: shape, lora: lora, at: "reward")
    }
}

extension PolicySection {
    /// What is trained of each policy.
    func trained(of shape: ModelConfiguration) throws(Failure) -> TrainableParameters {
        try trainable.parameters(of: shape, lora: lora, at: "policy")
    }
}
