package import LanguageModels
package import Preferences
package import RewardMixture
import StrictYAML

/// `reward`: the mixture of reward models (Algorithm 2 of arXiv 2402.08925).
package struct RewardSection: Equatable, Sendable {
    package var trainable = TrainableKind.full
    /// As the paper trains Tulu-2-7B's reward models.
    package var lora = AdapterSettings(rank: 8, alpha: 32)
    package var mixture = RewardMixtureSettings()
    package var fractions = SplitFractions(assign: 0.333, test: 0.2, validation: 0.1)
    package var heldOutUsers = 0.0
    package var knownBaseline = false

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "trainable",
            &trainable,
            .choice(TrainableKind.self),
            "full: all parameters; lora: adapters of a frozen model, and the reward head; head: only the reward head."
        )
        keys.section("lora") { lora.read(&$0) }
        mixture.read(&keys)
        keys.read(
            "assign_fraction",
            &fractions.assign,
            .number(.over(0, upTo: 0.9)),
            "Part of each user's comparisons that only the E-step uses."
        )
        keys.read(
            "test_fraction",
            &fractions.test,
            .number(.from(0, to: 0.9)),
            "Part of each user's comparisons that only measures accuracy."
        )
        keys.read(
            "validation_fraction",
            &fractions.validation,
            .number(.over(0, upTo: 0.9)),
            "Part of the comparisons that these two leave, which only decides when to stop."
        )
        keys.read(
            "held_out_users",
            &heldOutUsers,
            .number(.from(0, to: 0.9)),
            "Part of the users kept out of training and assigned afterwards, from their `assign` comparisons alone."
        )
        keys.read(
            "known_baseline",
            &knownBaseline,
            .flag,
            "Also fit one model per known group, to compare accuracies with."
        )
    }
}

extension RewardMixtureSettings {
    fileprivate mutating func read(_ keys: inout SectionReader) {
        keys.read("groups", &groups, .integer(.from(1, to: 64)), "Number of groups K.")
        keys.read(
            "assignment",
            &assignment,
            .choice(AssignmentRule.self),
            "hard: each user to the likeliest group; soft: by responsibilities; known: by the data's own `group` "
                + "labels."
        )
        keys.read(
            "start",
            &start,
            .choice(MixtureStart.self),
            "residual: seed each further group with users whose unexplained choices pull the models so far another "
                + "way; random; round-robin."
        )
        keys.read(
            "restarts",
            &restarts,
            .integer(.from(1, to: 100)),
            "Starts tried; the one with the highest likelihood on `assign` comparisons is kept."
        )
        keys.read("max_iterations", &maxIterations, .integer(.atLeast(1), unit: "iterations"), "Most iterations of EM.")
        keys.read(
            "tolerance",
            &tolerance,
            .number(.atLeast(0)),
            "EM stops when the log-likelihood gains less than this, relatively."
        )
        keys.read("temperature", &temperature, .number(.atLeast(1)), "Where the temperature of soft assignment starts.")
        keys.read(
            "temperature_decay",
            &temperatureDecay,
            .number(.over(0, upTo: 1)),
            "Factor of the temperature from iteration to iteration, down to 1."
        )
        optimizer.read(&keys)
        keys.read(
            "batch_comparisons",
            &batchComparisons,
            .integer(.atLeast(1), unit: "comparisons"),
            "Comparisons of each group a step, over all ranks."
        )
        keys.read(
            "max_steps",
            &maxSteps,
            .integer(.atLeast(1), unit: "steps"),
            "Most steps of each group in one M-step."
        )
        keys.read("evaluate_every", &evaluateEvery, .integer(.atLeast(1), unit: "steps"), "Steps between validations.")
        keys.read(
            "patience",
            &patience,
            .integer(.atLeast(1), unit: "validations"),
            "Validations without improvement after which a group stops and takes its best weights."
        )
    }
}
