import Foundation

/// How the learning rate runs over the steps after warm-up.
package enum ScheduleShape: String, Sendable {
    /// Stays at the peak.
    case constant
    /// Falls along a straight line.
    case linear
    /// Falls along half a cosine.
    case cosine
}

/// Learning rate by step: linear warm-up from 0, then constant, or linear or cosine decay to `floor`·peak.
///
/// With n = step − 1 updates done, W warm-up and T total steps, rate = peak · λ(n), where λ(n) = n/W during warm-up (n
/// < W) and λ(n) = floor + (1 − floor)·d(p) after it, with p = (n − W)/(T − W), and d(p) = 1, 1 − p or (1 + cos πp)/2.
/// These are the schedules of `transformers` (`get_linear_schedule_with_warmup` and kin): a warm-up starts with a step
/// of rate 0.
package struct Schedule: Equatable, Sendable {
    /// How the rate runs after warm-up.
    package let shape: ScheduleShape
    /// The highest rate.
    package let peak: Float
    /// Steps until the peak is reached; 0: the first step is at the peak.
    package let warmupSteps: Int
    /// Step count at which a decay ends.
    package let totalSteps: Int
    /// Share of the peak at which a decay ends, in [0, 1].
    package let floor: Float

    /// Describes a schedule; a run longer than `totalSteps` goes on at the floor.
    package init(shape: ScheduleShape, peak: Float, warmupSteps: Int, totalSteps: Int, floor: Float = 0) {
        precondition(peak >= 0 && warmupSteps >= 0 && totalSteps >= 0, "a schedule's numbers must not be negative")
        precondition((0...1).contains(floor), "the floor is a share of the peak, in [0, 1]; it is \(floor)")
        self.shape = shape
        self.peak = peak
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
        self.floor = floor
    }

    /// The learning rate of an update; `step` counts from 1.
    package func rate(at step: Int) -> Float {
        precondition(step >= 1, "steps count from 1; this is step \(step)")
        let done = step - 1
        if done < warmupSteps { return Float(Double(peak) * Double(done) / Double(warmupSteps)) }
        let progress = min(1, Double(done - warmupSteps) / Double(max(1, totalSteps - warmupSteps)))
        let decay =
            switch shape {
            case .constant: 1.0
            case .linear: 1 - progress
            case .cosine: 0.5 * (1 + cos(.pi * progress))
            }
        return Float(Double(peak) * (Double(floor) + (1 - Double(floor)) * decay))
    }
}
