public import Tensors

/// AdamW's constants.
public struct AdamWSettings: Equatable, Sendable {
    public var beta1: Float = 0.9
    public var beta2: Float = 0.999
    public var epsilon: Float = 1e-8
    public var weightDecay: Float = 0
    /// Gradients are scaled down to this global norm; 0: never.
    public var clipNorm: Float = 1
    public init() {}
}

/// How the learning rate runs over the steps.
public enum ScheduleShape: String, Sendable { case constant, linear, cosine }

/// Learning rate by step: linear warm-up from 0, then constant, or linear or cosine decay to `floor`·peak.
public struct Schedule: Equatable, Sendable {
    public init(shape: ScheduleShape, peak: Float, warmupSteps: Int, totalSteps: Int, floor: Float = 0) { fatalError() }
    /// `step` counts from 1.
    public func rate(at step: Int) -> Float { fatalError() }
}

/// AdamW over the trainable range of one flat parameter vector.
public final class AdamW {
    public private(set) var step = 0
    /// `decaying`: flat ranges that decay applies to, in order (the other ranges of `parameters` do not decay).
    public init(parameters: Tensor, gradients: Tensor, decaying: [Range<Int>], settings: AdamWSettings) { fatalError() }
    /// One step; returns the gradient's norm before clipping. A non-finite norm changes nothing and is returned as it is.
    public func update(learningRate: Float) -> Double { fatalError() }
}
