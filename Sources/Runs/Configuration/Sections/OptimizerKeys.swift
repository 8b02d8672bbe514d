public import Optimizers

extension ScheduleShape: CaseIterable {
    /// Every shape, in the order of the reference.
    public static var allCases: [ScheduleShape] { [.constant, .linear, .cosine] }
}

/// Keys that every training stage has, for AdamW (arXiv 1711.05101) and its schedule.
package struct OptimizerKeys: Equatable, Sendable {
    package let learningRate: Double
    package let schedule: ScheduleShape
    package let warmupSteps: Int
    package let weightDecay: Double
    package let clipNorm: Double

    init(
        _ keys: inout SectionReader,
        learningRate standardRate: Double,
        schedule standardSchedule: ScheduleShape,
        warmupSteps standardWarmup: Int,
        weightDecay standardDecay: Double
    ) {
        learningRate = keys.read("learning_rate", .number(.above(0)), standardRate, "AdamW's peak learning rate.")
        schedule = keys.read(
            "schedule",
            .choice(ScheduleShape.self),
            standardSchedule,
            "The learning rate after warm-up."
        )
        warmupSteps = keys.read(
            "warmup_steps",
            .integer(.atLeast(0), unit: "steps"),
            standardWarmup,
            "Steps over which the learning rate rises from zero to its peak."
        )
        weightDecay = keys.read(
            "weight_decay",
            .number(.from(0, to: 1)),
            standardDecay,
            "AdamW's decoupled weight decay, on matrices only."
        )
        clipNorm = keys.read(
            "clip_norm",
            .number(.above(0)),
            1,
            "Largest global norm of a gradient; a longer one is scaled down to it."
        )
    }
}
