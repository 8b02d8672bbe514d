import Failures
import LanguageModels

// What `trainable` means for a model of a given shape.

extension RewardSection {
    /// What is trained of each reward model.
    func trained(of shape: ModelConfiguration) throws(Failure) -> LanguageModels.Trainable {
        switch trainable {
        case .full: .full
        case .lora: .adapters(try lora.settings(for: shape, at: "reward.lora"))
        case .head: .head
        }
    }
}

extension PolicySection {
    /// What is trained of each policy.
    func trained(of shape: ModelConfiguration) throws(Failure) -> LanguageModels.Trainable {
        switch trainable {
        case .full: .full
        case .lora: .adapters(try lora.settings(for: shape, at: "policy.lora"))
        }
    }
}

extension AdapterKeys {
    /// The adapters of a model of this shape.
    ///
    /// - Throws: `Failure` 78 naming the key, where the shape lacks a target or has too few blocks.
    fileprivate func settings(for shape: ModelConfiguration, at section: String) throws(Failure) -> AdapterSettings {
        let settings = AdapterSettings(
            rank: rank,
            alpha: alpha,
            targets: targets,
            topLayers: topLayers,
            dropout: dropout
        )
        let known = shape.linearLayers.map(\.name)
        if let unknown = settings.unknownTargets(of: shape).first {
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
        return settings
    }
}
