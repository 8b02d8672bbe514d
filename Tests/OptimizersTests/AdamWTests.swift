import Collectives
import Optimizers
import Tensors
import TestSupport
import Testing

struct AdamWTests {
    private static func settings(_ golden: Golden.Settings) -> OptimizerSettings {
        var settings = OptimizerSettings()
        settings.beta1 = golden.beta1
        settings.beta2 = golden.beta2
        settings.epsilon = golden.epsilon
        settings.weightDecay = golden.weightDecay
        settings.clipNorm = golden.clipNorm
        return settings
    }

    /// An optimizer at the start of the golden steps, with its parameters and gradients.
    private static func start(_ golden: Golden.Steps) -> (AdamW, parameters: Tensor, gradients: Tensor) {
        let parameters = Tensor(golden.start, shape: [golden.start.count])
        let gradients = Tensor(zeros: [golden.start.count])
        let optimizer = AdamW(
            parameters: parameters,
            gradients: gradients,
            decaying: golden.decaying.map { $0[0]..<$0[1] },
            settings: settings(golden.settings)
        )
        return (optimizer, parameters, gradients)
    }

    @Test func stepsAreThoseOfTorch() throws {
        let golden = try Golden.read().adamw
        let (optimizer, parameters, gradients) = Self.start(golden)
        for index in golden.values.indices {
            gradients.copy(from: golden.gradients[index])
            let norm = try optimizer.update(learningRate: golden.rates[index])
            #expect(abs(norm - golden.norms[index]) <= 1e-5 * norm)
            #expect(maximalDifference(parameters.array(), golden.values[index]) <= 1e-6, "step \(index + 1)")
        }
        #expect(optimizer.step == golden.values.count)
    }

    @Test func stateContinuesARun() throws {
        let golden = try Golden.read().adamw
        let (first, parameters, gradients) = Self.start(golden)
        for index in 0..<3 {
            gradients.copy(from: golden.gradients[index])
            _ = try first.update(learningRate: golden.rates[index])
        }
        let (second, laterParameters, laterGradients) = Self.start(golden)
        laterParameters.copy(from: parameters)
        second.restore(step: first.step, firstMoment: first.firstMoment, secondMoment: first.secondMoment)
        for index in 3..<golden.values.count {
            gradients.copy(from: golden.gradients[index])
            laterGradients.copy(from: golden.gradients[index])
            _ = try first.update(learningRate: golden.rates[index])
            _ = try second.update(learningRate: golden.rates[index])
        }
        #expect(laterParameters.array() == parameters.array())
        #expect(second.step == first.step)
    }

    @Test(arguments: [Float.nan, .infinity]) func aGradientThatIsNotFiniteChangesNothing(bad: Float) throws {
        let golden = try Golden.read().adamw
        let (optimizer, parameters, gradients) = Self.start(golden)
        gradients.copy(from: golden.gradients[0])
        _ = try optimizer.update(learningRate: 0.01)
        let before = (parameters.array(), optimizer.firstMoment.array(), optimizer.secondMoment.array())
        gradients[5] = bad
        #expect(try !optimizer.update(learningRate: 0.01).isFinite)
        #expect(optimizer.step == 1)
        #expect(parameters.array() == before.0)
        #expect(optimizer.firstMoment.array() == before.1)
        #expect(optimizer.secondMoment.array() == before.2)
    }

    @Test func clippingCanBeSwitchedOff() throws {
        // After one step from zero moments the update is rate·g/(|g| + ε) whatever the scale, so compare the moments.
        var settings = OptimizerSettings()
        settings.clipNorm = 0
        let gradients = Tensor([30, 40], shape: [2])
        let optimizer = AdamW(
            parameters: Tensor(zeros: [2]),
            gradients: gradients,
            decaying: [],
            settings: settings
        )
        #expect(try optimizer.update(learningRate: 0.1) == 50)
        #expect(maximalDifference(optimizer.firstMoment.array(), [3, 4]) < 1e-5)
    }
}

struct SharedAdamWTests {
    /// The weights after some steps on a number of ranks, and each rank's moments as parts of a state.
    private static func train(
        ranks: Int,
        count: Int,
        by reduction: GradientReduction = .reproducible
    ) throws -> [(weights: [UInt32], norms: [Double], parts: [Part])] {
        try InProcessGroup.run(ranks: ranks) { communicator in
            let parameters = Tensor((0..<count).map { Float($0 % 13) - 6 }, shape: [count])
            let gradients = Tensor(zeros: [count])
            var settings = OptimizerSettings()
            settings.weightDecay = 0.1
            settings.clipNorm = 0.5
            let optimizer = AdamW(
                parameters: parameters,
                gradients: gradients,
                decaying: [100..<min(count, squaresChunk + 7)],
                settings: settings,
                by: reduction,
                over: communicator
            )
            let norms = try (1...3).map { step in
                // What lies outside the slice must not matter.
                gradients.fill(.nan)
                for index in optimizer.slice.joined() { gradients[index] = Float((index * step) % 29) / 7 - 2 }
                return try optimizer.update(learningRate: 0.01, scaledBy: 0.5, over: communicator)
            }
            let parts = optimizer.stateVectors.map {
                Part(name: $0.name, start: $0.start, length: $0.length, bits: $0.values.array().map(\.bitPattern))
            }
            return (parameters.array().map(\.bitPattern), norms, parts)
        }
    }

    /// A part of a vector of the state.
    private struct Part: Sendable {
        let name: String
        let start: Int
        let length: Int
        let bits: [UInt32]
    }

    @Test(arguments: [2, 3, 4, 8]) func ranksShareAnUpdateBitByBit(ranks: Int) throws {
        // The last has two buckets.
        for count in [1000, 5 * squaresChunk + 100, ZeROPartition.bucketSize + 5 * squaresChunk + 100] {
            let alone = try Self.train(ranks: 1, count: count)[0]
            let together = try Self.train(ranks: ranks, count: count)
            for rank in together {
                #expect(rank.weights == alone.weights)
                #expect(rank.norms == alone.norms)
            }
            for name in ["first_moment", "second_moment"] {
                func parts(_ rank: (weights: [UInt32], norms: [Double], parts: [Part])) -> [Part] {
                    rank.parts.filter { $0.name == name }
                }
                let shared = together.flatMap(parts).sorted { $0.start < $1.start }
                #expect(shared.allSatisfy { $0.length == count })
                #expect(shared.flatMap(\.bits) == parts(alone).flatMap(\.bits))
                #expect(zip(shared, shared.dropFirst()).allSatisfy { $0.start + $0.bits.count == $1.start })
            }
        }
    }

    /// Of equal gradients it makes no difference who updates what.
    @Test(arguments: [1, 3]) func withoutSharingEveryRankDoesAll(ranks: Int) throws {
        let count = squaresChunk + 100
        let alone = try Self.train(ranks: 1, count: count)[0]
        for rank in try Self.train(ranks: ranks, count: count, by: .allReduce) {
            #expect(rank.weights == alone.weights && rank.norms == alone.norms)
            #expect(rank.parts.map(\.bits) == alone.parts.map(\.bits))
        }
    }
}

extension SharedAdamWTests {
    /// A weight that one rank holds otherwise, in its own slice or in another's, stays different.
    @Test(arguments: [5, 2 * squaresChunk - 1]) func aSpoiledCopyIsNotCoveredUp(index: Int) throws {
        let weights = try InProcessGroup.run(ranks: 2) { communicator in
            let count = 2 * squaresChunk
            let parameters = Tensor((0..<count).map { Float($0 % 13) - 6.5 }, shape: [count])
            let gradients = Tensor(zeros: [count])
            if communicator.rank == 1 { parameters[index] += 0.25 }
            let optimizer = AdamW(
                parameters: parameters,
                gradients: gradients,
                decaying: [],
                settings: OptimizerSettings(),
                over: communicator
            )
            for _ in 0..<3 {
                gradients.fill(1)
                _ = try optimizer.update(learningRate: 0.01, over: communicator)
            }
            return parameters.array()
        }
        let different = weights[0].indices.filter { weights[0][$0] != weights[1][$0] }
        #expect(different == [index])
    }
}

/// Where other ranks' slices are held in bf16 alone.
struct HalfReplicasTests {
    private static let count = 9 * squaresChunk + 100
    private static let ranges = [100..<3 * squaresChunk + 7, 4 * squaresChunk..<8 * squaresChunk]

    private struct Outcome: Sendable {
        let copy: [UInt32]
        let values: [UInt32]
        let gathered: [UInt32]
        /// Whether an element's fp32 value is this rank's to know.
        let isKnown: [Bool]
    }

    /// Three steps; fp32 values that a rank needs not know are NaN from the start.
    ///
    /// `spoiled`: an element of the last rank's copy.
    private static func train(ranks: Int, spoiled: Int? = nil) throws -> [Outcome] {
        try InProcessGroup.run(ranks: ranks) { communicator in
            let start = (0..<count).map { Float($0 % 1013) / 97 - 5 }
            let parameters = Tensor(start, shape: [count])
            let gradients = Tensor(zeros: [count])
            let copy = Tensor(zeros: [count], .bfloat16)
            copy.copy(from: parameters)
            if let spoiled, communicator.rank == ranks - 1 {
                let one = Tensor([1], shape: [1])
                copy.rows(spoiled..<spoiled + 1).copy(from: one)
            }
            let optimizer = AdamW(
                parameters: parameters,
                gradients: gradients,
                decaying: [50..<squaresChunk],
                settings: OptimizerSettings(),
                halves: BF16Replicas(copy: copy, ranges: ranges),
                over: communicator
            )
            let known = (0..<count).map { i in
                !ranges.contains { $0.contains(i) } || optimizer.slice.contains { $0.contains(i) }
            }
            for i in 0..<count where !known[i] { parameters[i] = .nan }
            for step in 1...3 {
                gradients.fill(.nan)
                for i in optimizer.slice.joined() { gradients[i] = Float((i * step) % 29) / 7 - 2 }
                _ = try optimizer.update(learningRate: 0.01, over: communicator)
            }
            // What is known is rounded by the model; the others' came with the update.
            for i in 0..<count where known[i] { copy.rows(i..<i + 1).copy(from: parameters.rows(i..<i + 1)) }
            let values = parameters.array().map(\.bitPattern)
            try optimizer.gatherParameters(over: communicator)
            return Outcome(
                copy: copy.array().map(\.bitPattern),
                values: values,
                gathered: parameters.array().map(\.bitPattern),
                isKnown: known
            )
        }
    }

    @Test(arguments: [2, 3, 4]) func ranksNeedNoMastersOfOthers(ranks: Int) throws {
        let alone = try Self.train(ranks: 1)[0]
        for rank in try Self.train(ranks: ranks) {
            #expect(rank.isKnown.contains(false))
            #expect(rank.copy == alone.copy)
            #expect(rank.gathered == alone.values)
            #expect(rank.isKnown.indices.allSatisfy { !rank.isKnown[$0] || rank.values[$0] == alone.values[$0] })
        }
    }

    /// A half that one rank holds otherwise stays different, so that the comparison of replicas finds it.
    @Test func aSpoiledHalfIsNotCoveredUp() throws {
        let outcomes = try Self.train(ranks: 2, spoiled: 150)
        #expect(!outcomes[1].isKnown[150])
        #expect(Self.different(outcomes[0].copy, outcomes[1].copy) == [150])
    }

    private static func different(_ a: [UInt32], _ b: [UInt32]) -> [Int] { a.indices.filter { a[$0] != b[$0] } }
}

struct TensorCollectivesTests {
    @Test(arguments: 1...4) func tensorsTravel(ranks: Int) throws {
        let results = try InProcessGroup.run(ranks: ranks) { communicator in
            let whole = Tensor(zeros: [2, 3])
            whole.fill(Float(communicator.rank + 1))
            try communicator.allReduceSum(whole.rows(1..<2))
            let sums = whole.array()
            try communicator.broadcast(whole)
            return (sums, whole.array())
        }
        let total = Float(ranks * (ranks + 1) / 2)
        for (rank, (sums, copies)) in results.enumerated() {
            #expect(sums == Array(repeating: Float(rank + 1), count: 3) + Array(repeating: total, count: 3))
            #expect(copies == [1, 1, 1, total, total, total])
        }
    }
}
