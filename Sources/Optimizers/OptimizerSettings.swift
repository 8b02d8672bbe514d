/// How a training updates its parameters: AdamW's constants, and how the learning rate runs.
package struct OptimizerSettings: Equatable, Sendable {
    /// The peak learning rate.
    package var learningRate: Float
    /// How the learning rate runs after warm-up.
    package var schedule: ScheduleShape
    /// Steps of linear warm-up.
    package var warmupSteps: Int
    /// Decoupled weight decay λ: a parameter that decays loses rate·λ of itself a step.
    package var weightDecay: Float
    /// Gradients are scaled down to this global norm; 0: never.
    package var clipNorm: Float = 1
    /// Decay of the mean of gradients, β₁, as in PyTorch.
    package var beta1: Float = 0.9
    /// Decay of the mean of squared gradients, β₂, as in PyTorch.
    package var beta2: Float = 0.999
    /// Added to the root of the second moment, as in PyTorch.
    package var epsilon: Float = 1e-8

    /// States what trainings differ in.
    package init(
        learningRate: Float = 1e-4,
        schedule: ScheduleShape = .constant,
        warmupSteps: Int = 0,
        weightDecay: Float = 0
    ) {
        self.learningRate = learningRate
        self.schedule = schedule
        self.warmupSteps = warmupSteps
        self.weightDecay = weightDecay
    }

    /// The learning rate of each of so many steps.
    package func rates(over steps: Int) -> Schedule {
        Schedule(shape: schedule, peak: learningRate, warmupSteps: warmupSteps, totalSteps: steps)
    }
}
