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
    /// The unit, the folds and whether all is shared are those of `data.split` and of `mixture`.
    package var split = SplitSettings()
    package var heldOutUsers = 0.0
    package var judgeFraction = 0.0
    package var knownBaseline = false

    mutating func read(_ keys: inout SectionReader) {
        keys.read(
            "trainable",
            &trainable,
            .choice(TrainableKind.self),
            "full: all parameters of each group's model; lora: adapters of a frozen model, and the reward head; head: "
                + "only the reward head; shared: all of one model, with a reward head for each group; shared-lora: "
                + "adapters of one frozen model, with a reward head for each group."
        )
        keys.section("lora") { lora.read(&$0) }
        mixture.read(&keys)
        if mixture.paper {
            (mixture.assignment, mixture.start) = (.hard, .roundRobin)
            (mixture.folds, mixture.restarts) = (1, 1)
        }
        keys.read(
            "test_fraction",
            &split.test,
            .number(.from(0, to: 0.9)),
            "Part of all comparisons that only measures accuracy."
        )
        keys.read(
            "assign_fraction",
            &split.assign,
            .number(.over(0, upTo: 0.9)),
            "With folds: 1, part of all comparisons that only the E-step uses."
        )
        keys.read(
            "validation_fraction",
            &split.validation,
            .number(.over(0, upTo: 0.9)),
            "With folds: 1, part of all comparisons that only decides when to stop."
        )
        keys.read(
            "held_out_users",
            &heldOutUsers,
            .number(.from(0, to: 0.9)),
            "Part of the users kept out of training and assigned afterwards, from their comparisons but those of "
                + "`test`."
        )
        keys.read(
            "judge_fraction",
            &judgeFraction,
            .number(.from(0, to: 0.9)),
            "Part of the prompts whose comparisons neither find groups nor train their reward models: once users are "
                + "assigned, they train the reward models of the judge `held-out`. 0: there is none."
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
        keys.read(
            "groups",
            &groups,
            .orAuto(.integer(.from(1, to: 64))),
            "Number of groups K; auto: as few as explain unseen comparisons as well as any number up to max_groups."
        )
        keys.read("max_groups", &maxGroups, .integer(.from(2, to: 64)), "Most groups that groups: auto tries.")
        keys.read(
            "folds",
            &folds,
            .integer(.from(1, to: 10)),
            "Cross-fitting: each group has so many models in EM, each trained on all folds of the comparisons but one, "
                + "which the E-step asks it. 1: one model, on comparisons apart from those of the E-step."
        )
        keys.read(
            "paper",
            &paper,
            .flag,
            "The paper's way, to compare with: hard assignment from round-robin, the E-step reads what the models were "
                + "trained on, and every group trains for as many epochs as the largest one has in max_steps. Other "
                + "keys for these play no part. Likelihoods are then not of unseen comparisons."
        )
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
                + "way; labels: the data's own, which EM may find wrong; random; round-robin."
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
            "EM stops when the log-likelihood has not gained more than this, relatively, for two iterations."
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
        keys.read(
            "validation_comparisons",
            &validationComparisons,
            .integer(.atLeast(32), unit: "comparisons"),
            "Most comparisons of a group that a validation looks at, about; of more, the same ones each time."
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
