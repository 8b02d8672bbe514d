package import MaxMinPolicy
internal import Optimizers

/// `policy`: alignment of one policy per objective (Algorithm 1 of arXiv 2402.08925).
package struct PolicySection: Equatable, Sendable {
    /// What a policy maximises.
    package enum Objective: String, CaseIterable, Sendable {
        case maxmin, single, utilitarian
        case perResponse = "per-response"
        case softmin, mirror, nash
        case alphaFair = "alpha-fair"
        case proportional
        case maxminUncalibrated = "maxmin-uncalibrated"
    }

    /// Which parameters are trained.
    package enum Trainable: String, CaseIterable, Sendable { case full, lora }

    package let objectives: [Objective]
    package let trainable: Trainable
    package let lora: AdapterKeys
    package let algorithm: PolicySettings.Algorithm
    package let beta: Double
    package let kl: PolicySettings.KLControl
    package let klTarget: Double
    package let klHorizon: Double
    package let steps: Int
    package let promptsPerStep: Int
    package let samplesPerPrompt: Int
    package let maxNewTokens: Int
    package let temperature: Double
    package let optimizer: OptimizerKeys
    package let epochs: Int
    package let minibatches: Int
    package let clip: Double
    package let valueClip: Double
    package let valueCoefficient: Double
    package let lambda: Double
    package let gamma: Double
    package let missingEOSPenalty: Double
    package let targetKL: Double?
    package let maxBadSteps: Int
    package let halfLife: Double
    package let softminTemperature: Double
    package let mirrorRate: Double
    package let alpha: Double
    package let nominalMix: Double

    init(_ keys: inout SectionReader) {
        objectives = keys.read(
            "objectives",
            .choices(Objective.self),
            [.maxmin, .single, .utilitarian],
            "A policy is aligned for each; `single` is ordinary RLHF with one reward model for all users."
        )
        trainable = keys.read(
            "trainable",
            .choice(Trainable.self),
            .full,
            "full: all parameters; lora: adapters of the frozen reference, and the value head."
        )
        // As the paper trains Tulu-2-7B.
        lora = keys.section("lora") { AdapterKeys(&$0, rank: 16, alpha: 32) }
        algorithm = keys.read(
            "algorithm",
            .choice(PolicySettings.Algorithm.self),
            .rloo,
            "ppo: with a value head; rloo: leave-one-out over the samples of a prompt, without one."
        )
        beta = keys.read("beta", .number(.atLeast(0)), 0.05, "Weight β of the divergence from the reference.")
        kl = keys.read(
            "kl",
            .choice(PolicySettings.KLControl.self),
            .fixed,
            "fixed: β stays; adaptive: β follows `kl_target` (arXiv 1909.08593)."
        )
        klTarget = keys.read(
            "kl_target",
            .number(.above(0), unit: "nats a response"),
            6,
            "Divergence that adaptive control aims at."
        )
        klHorizon = keys.read(
            "kl_horizon",
            .number(.above(0), unit: "responses"),
            10_000,
            "How slowly adaptive control moves β."
        )
        steps = keys.read("steps", .integer(.atLeast(1), unit: "steps"), 60, "Training steps of each policy.")
        promptsPerStep = keys.read(
            "prompts_per_step",
            .integer(.atLeast(1), unit: "prompts"),
            16,
            "Prompts a step, over all ranks."
        )
        samplesPerPrompt = keys.read(
            "samples_per_prompt",
            .integer(.atLeast(1), unit: "samples"),
            4,
            "Responses to each prompt; rloo needs 2."
        )
        maxNewTokens = keys.read("max_new_tokens", .integer(.atLeast(1), unit: "tokens"), 56, "Longest response.")
        temperature = keys.read("temperature", .number(.above(0)), 1, "Sampling temperature.")
        optimizer = OptimizerKeys(
            &keys,
            learningRate: 5e-5,
            schedule: .constant,
            warmupSteps: 0,
            weightDecay: 0
        )
        epochs = keys.read("epochs", .integer(.from(1, to: 100)), 1, "Passes over the samples of a step.")
        minibatches = keys.read("minibatches", .integer(.atLeast(1)), 1, "Updates in each pass.")
        clip = keys.read("clip", .number(.above(0)), 0.2, "Clipping range of the probability ratio.")
        valueClip = keys.read("value_clip", .number(.above(0)), 0.2, "Clipping range of the value head's change (ppo).")
        valueCoefficient = keys.read("value_coefficient", .number(.atLeast(0)), 0.5, "Weight of the value loss (ppo).")
        lambda = keys.read("lambda", .number(.from(0, to: 1)), 0.95, "λ of generalised advantage estimation (ppo).")
        gamma = keys.read("gamma", .number(.over(0, upTo: 1)), 1, "Discount γ (ppo).")
        missingEOSPenalty = keys.read(
            "missing_eos_penalty",
            .number(.atLeast(0), unit: "calibrated reward"),
            0,
            "Taken from the reward of a response that does not end by itself."
        )
        targetKL = keys.read(
            "target_kl",
            .optional(.number(.above(0), unit: "nats a token")),
            nil,
            "Ends the passes of a step once the policy moved so far from where it sampled; null: never."
        )
        maxBadSteps = keys.read(
            "max_bad_steps",
            .integer(.atLeast(1), unit: "steps"),
            3,
            "Steps in a row with a loss or gradient that is not finite that end the run; fewer are skipped."
        )
        halfLife = keys.read(
            "half_life",
            .number(.atLeast(0), unit: "steps"),
            8,
            "Steps in which the memory of past weights halves; 0: no memory."
        )
        softminTemperature = keys.read(
            "softmin_temperature",
            .number(.above(0), unit: "calibrated reward"),
            0.5,
            "Temperature τ of `softmin`: w ∝ exp(−F/τ)."
        )
        mirrorRate = keys.read("mirror_rate", .number(.above(0)), 0.1, "Step size η of `mirror`: w ∝ w·exp(−η·F).")
        alpha = keys.read("alpha", .number(.atLeast(0)), 2, "α of `alpha-fair`: 0 utilitarian, 1 Nash, ∞ max–min.")
        nominalMix = keys.read(
            "nominal_mix",
            .number(.from(0, to: 1)),
            0,
            "Part λ of equal weights that is blended into the weights."
        )
    }
}
