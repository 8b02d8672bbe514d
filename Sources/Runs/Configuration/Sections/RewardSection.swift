internal import Optimizers
package import RewardMixture

/// `reward`: the mixture of reward models (Algorithm 2 of arXiv 2402.08925).
package struct RewardSection: Equatable, Sendable {
    /// Which parameters are trained.
    package enum Trainable: String, CaseIterable, Sendable { case full, lora, head }

    package let groups: Int
    package let assignment: AssignmentRule
    package let start: MixtureStart
    package let restarts: Int
    package let maxIterations: Int
    package let tolerance: Double
    package let temperature: Double
    package let temperatureDecay: Double
    package let trainable: Trainable
    package let lora: AdapterKeys
    package let optimizer: OptimizerKeys
    package let batchComparisons: Int
    package let maxSteps: Int
    package let evaluateEvery: Int
    package let patience: Int
    package let assignFraction: Double
    package let testFraction: Double
    package let validationFraction: Double
    package let heldOutUsers: Double
    package let knownBaseline: Bool

    init(_ keys: inout SectionReader) {
        groups = keys.read("groups", .integer(.from(1, to: 64)), 2, "Number of groups K.")
        assignment = keys.read(
            "assignment",
            .choice(AssignmentRule.self),
            .hard,
            "hard: each user to the likeliest group; soft: by responsibilities; known: by the data's own `group` labels."
        )
        start = keys.read(
            "start",
            .choice(MixtureStart.self),
            .residual,
            "residual: seed each further group with users whose unexplained choices pull the models so far another way; random; round-robin."
        )
        restarts = keys.read(
            "restarts",
            .integer(.from(1, to: 100)),
            1,
            "Starts tried; the one with the highest likelihood on `assign` comparisons is kept."
        )
        maxIterations = keys.read(
            "max_iterations",
            .integer(.atLeast(1), unit: "iterations"),
            10,
            "Most iterations of EM."
        )
        tolerance = keys.read(
            "tolerance",
            .number(.atLeast(0)),
            1e-4,
            "EM stops when the log-likelihood gains less than this, relatively."
        )
        temperature = keys.read(
            "temperature",
            .number(.atLeast(1)),
            4,
            "Where the temperature of soft assignment starts."
        )
        temperatureDecay = keys.read(
            "temperature_decay",
            .number(.over(0, upTo: 1)),
            0.5,
            "Factor of the temperature from iteration to iteration, down to 1."
        )
        trainable = keys.read(
            "trainable",
            .choice(Trainable.self),
            .full,
            "full: all parameters; lora: adapters of a frozen model, and the reward head; head: only the reward head."
        )
        // As the paper trains Tulu-2-7B's reward models.
        lora = keys.section("lora") { AdapterKeys(&$0, rank: 8, alpha: 32) }
        optimizer = OptimizerKeys(
            &keys,
            learningRate: 1e-4,
            schedule: .constant,
            warmupSteps: 10,
            weightDecay: 0
        )
        batchComparisons = keys.read(
            "batch_comparisons",
            .integer(.atLeast(1), unit: "comparisons"),
            32,
            "Comparisons of each group a step, over all ranks."
        )
        maxSteps = keys.read(
            "max_steps",
            .integer(.atLeast(1), unit: "steps"),
            200,
            "Most steps of each group in one M-step."
        )
        evaluateEvery = keys.read(
            "evaluate_every",
            .integer(.atLeast(1), unit: "steps"),
            10,
            "Steps between validations."
        )
        patience = keys.read(
            "patience",
            .integer(.atLeast(1), unit: "validations"),
            3,
            "Validations without improvement after which a group stops and takes its best weights."
        )
        assignFraction = keys.read(
            "assign_fraction",
            .number(.over(0, upTo: 0.9)),
            0.333,
            "Part of each user's comparisons that only the E-step uses."
        )
        testFraction = keys.read(
            "test_fraction",
            .number(.from(0, to: 0.9)),
            0.2,
            "Part of each user's comparisons that only measures accuracy."
        )
        validationFraction = keys.read(
            "validation_fraction",
            .number(.over(0, upTo: 0.9)),
            0.1,
            "Part of each user's comparisons that only decides when to stop."
        )
        heldOutUsers = keys.read(
            "held_out_users",
            .number(.from(0, to: 0.9)),
            0,
            "Part of the users kept out of training and assigned afterwards, from their `assign` comparisons alone."
        )
        knownBaseline = keys.read(
            "known_baseline",
            .flag,
            false,
            "Also fit one model per known group, to compare accuracies with."
        )
    }
}
