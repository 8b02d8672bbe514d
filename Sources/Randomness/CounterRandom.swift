import Foundation

/// What a random number is for; streams of different purposes never overlap.
package enum RandomPurpose: UInt64, Sendable {
    case initialization = 1
    case sampling
    case simulation
    case corpus
    case split
    case order
    case start
    case bootstrap
    case prompts
    case evaluation
    case test
    case adapters
    case dropout
    case validation
    case bestOf
    case calibration
}

/// A counter-based random stream: every number is a function of (seed, purpose, step, item, position) alone, so results
/// do not depend on ranks, threads or the order in which items are visited.
///
/// The mixing function is the SplitMix64 finalizer applied over the key and then over key + counter.
package struct CounterRandom: RandomNumberGenerator, Sendable {
    private let key: UInt64
    /// The index of the next number of this stream.
    package private(set) var position: UInt64

    /// Opens the stream of one item.
    package init(seed: UInt64, purpose: RandomPurpose, step: Int = 0, item: Int = 0, position: UInt64 = 0) {
        var key = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
        key = Self.mix(key ^ Self.mix(purpose.rawValue &+ 0xD1B5_4A32_D192_ED03))
        key = Self.mix(key ^ Self.mix(UInt64(bitPattern: Int64(step)) &+ 0x8CB9_2BA7_2F3D_8DD7))
        key = Self.mix(key ^ Self.mix(UInt64(bitPattern: Int64(item)) &+ 0xABC9_8388_FB8F_AC03))
        self.key = key
        self.position = position
    }

    /// The next 64 random bits.
    package mutating func next() -> UInt64 {
        position &+= 1
        return Self.mix(key &+ position &* 0x9E37_79B9_7F4A_7C15)
    }

    /// A number in [0, 1), uniform, with 53 random bits.
    package mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A standard normal number (Box–Muller, one of the pair; two uniforms are used).
    package mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * .pi * uniform())
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
