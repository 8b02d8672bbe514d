package import Optimizers
import StrictYAML

extension ScheduleShape: CaseIterable {
    /// Every shape, in the order of the reference.
    package static var allCases: [ScheduleShape] { [.constant, .linear, .cosine] }
}

/// Keys that every training stage has, for AdamW (arXiv 1711.05101) and its schedule.
extension OptimizerSettings {
    mutating func read(_ keys: inout SectionReader) {
        keys.read("learning_rate", &learningRate, .number(.above(0)), "AdamW's peak learning rate.")
        keys.read("schedule", &schedule, .choice(ScheduleShape.self), "The learning rate after warm-up.")
        keys.read(
            "warmup_steps",
            &warmupSteps,
            .integer(.atLeast(0), unit: "steps"),
            "Steps over which the learning rate rises from zero to its peak."
        )
        keys.read(
            "weight_decay",
            &weightDecay,
            .number(.from(0, to: 1)),
            "AdamW's decoupled weight decay, on matrices only."
        )
        keys.read(
            "clip_norm",
            &clipNorm,
            .number(.above(0)),
            "Largest global norm of a gradient; a longer one is scaled down to it."
        )
    }
}
