package import LanguageModels
package import MaxMinPolicy
import StrictYAML

/// `policy`: alignment of one policy per objective (Algorithm 1 of arXiv 2402.08925).
package struct PolicySection: Equatable, Sendable {
    package var objectives: [PolicyObjective] = [.maxmin, .single, .utilitarian]
    package var trainable = TrainableKind.full
    /// As the paper trains Tulu-2-7B.
    package var lora = AdapterSettings(rank: 16, alpha: 32)
    package var training = PolicySettings()

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "objectives",
            &objectives,
            .choices(PolicyObjective.self, and: "only-N, gold-NAME"),
            "A policy is aligned for each; `single` is ordinary RLHF with one reward model for all users, `only-0` is "
                + "for group 0 alone, `gold-maxmin` is `maxmin` on the simulated groups' true tastes."
        )
        keys.read(
            "trainable",
            &trainable,
            .choice(TrainableKind.self, of: [.full, .lora]),
            "full: all parameters; lora: adapters of the frozen reference, and the value head."
        )
        keys.section("lora") { lora.read(&$0) }
        training.read(&keys)
    }

    /// How the policy of an objective is trained.
    func settings(for objective: PolicyObjective) -> PolicySettings {
        var settings = training
        settings.objective = objective.weighting
        return settings
    }
}

extension PolicySettings {
    fileprivate mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "algorithm",
            &algorithm,
            .choice(PolicySettings.Algorithm.self),
            "ppo: with a value head; rloo: leave-one-out over the samples of a prompt; grpo: rewards normalized over "
                + "them."
        )
        keys.read(
            "value_heads",
            &valueHeads,
            .choice(PolicySettings.ValueHeads.self),
            "What ppo's value heads predict: single: the weighted reward; per-group: each group's own, and their "
                + "weighted sum is the value."
        )
        keys.read("beta", &beta, .number(.atLeast(0)), "Weight β of the divergence from the reference.")
        keys.read(
            "max_kl",
            &maxKL,
            .optional(.number(.above(0), unit: "nats a response")),
            "Divergence from the reference at which training ends, before `steps`; null: `steps` alone end it."
        )
        for old in ["kl", "kl_target", "kl_horizon"] { keys.renamed(old, to: "max_kl") }
        keys.read("steps", &steps, .integer(.atLeast(1), unit: "steps"), "Training steps of each policy, at most.")
        keys.read(
            "prompts_per_step",
            &promptsPerStep,
            .integer(.atLeast(1), unit: "prompts"),
            "Prompts a step, over all ranks."
        )
        keys.read(
            "samples_per_prompt",
            &samplesPerPrompt,
            .integer(.atLeast(1), unit: "samples"),
            "Responses to each prompt; rloo and grpo need 2."
        )
        keys.read("max_new_tokens", &maxNewTokens, .integer(.atLeast(1), unit: "tokens"), "Longest response.")
        keys.read("temperature", &temperature, .number(.above(0)), "Sampling temperature.")
        optimizer.read(&keys)
        keys.read("epochs", &epochs, .integer(.from(1, to: 100)), "Passes over the samples of a step.")
        keys.read("minibatches", &minibatches, .integer(.atLeast(1)), "Updates in each pass.")
        keys.read("clip", &clip, .number(.above(0)), "Clipping range of the probability ratio.")
        keys.read("value_clip", &valueClip, .number(.above(0)), "Clipping range of the value head's change (ppo).")
        keys.read("value_coefficient", &valueCoefficient, .number(.atLeast(0)), "Weight of the value loss (ppo).")
        keys.read("lambda", &lambda, .number(.from(0, to: 1)), "λ of generalized advantage estimation (ppo).")
        keys.read("gamma", &gamma, .number(.over(0, upTo: 1)), "Discount γ (ppo).")
        keys.read(
            "missing_eos_penalty",
            &missingEOSPenalty,
            .number(.atLeast(0), unit: "calibrated reward"),
            "Taken from the reward of a response that does not end by itself."
        )
        keys.read(
            "target_kl",
            &targetKL,
            .optional(.number(.above(0), unit: "nats a token")),
            "Ends the passes of a step once the policy moved so far from where it sampled; null: never."
        )
        keys.read(
            "max_bad_steps",
            &maxBadSteps,
            .integer(.atLeast(1), unit: "steps"),
            "Steps in a row with a loss or gradient that is not finite that end the run; fewer are skipped."
        )
        keys.read(
            "half_life",
            &halfLife,
            .number(.atLeast(0), unit: "steps"),
            "Steps in which the memory m of past weights halves; 0: those of the last step."
        )
        keys.read(
            "weights_temperature",
            &weightsTemperature,
            .number(.above(0), unit: "calibrated reward"),
            "τ: `maxmin` has w ∝ m·exp(−F/τ), `softmin` w ∝ exp(−F/τ); towards 0, all weight is on the worst-off group."
        )
        keys.renamed("softmin_temperature", to: "weights_temperature")
        keys.read("mirror_rate", &mirrorRate, .number(.above(0)), "Step size η of `mirror`: w ∝ w·exp(−η·F).")
        keys.read("alpha", &alpha, .number(.atLeast(0)), "α of `alpha-fair`: 0 utilitarian, 1 Nash, ∞ max–min.")
        keys.read(
            "nominal_mix",
            &nominalMix,
            .number(.from(0, to: 1)),
            "Part λ of equal weights that is blended into the weights."
        )
    }
}
