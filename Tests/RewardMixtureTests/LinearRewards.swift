import Collectives
import Optimizers
import Preferences
import Randomness
import RewardMixture
import Tensors
import TestSupport

/// Linear rewards r = w·x of feature vectors x, whose floats' bits stand for token ids.
///
/// Weights start at zero; the optimizer is Adam.
final class LinearRewards: RewardModels {
    let width: Int
    let weights: [Tensor]
    private let kept: [Tensor]
    private var gradients: [Float]
    private let first: [Tensor]
    private let second: [Tensor]
    private var steps: [Int]

    init(count: Int, width: Int) {
        self.width = width
        func zeros() -> [Tensor] { (0..<count).map { _ in Tensor(zeros: [width]) } }
        weights = zeros()
        kept = zeros()
        first = zeros()
        second = zeros()
        steps = Array(repeating: 0, count: count)
        gradients = Array(repeating: 0, count: count * width)
    }

    var count: Int { weights.count }
    let heads = 1

    func rewards(of comparisons: [TokenizedComparison], under models: Range<Int>) -> [[Float]] {
        models.map { model in
            let weights = weights[model].array()
            return comparisons.flatMap(\.sequences).map { zip(features($0), weights).reduce(0) { $0 + $1.0 * $1.1 } }
        }
    }

    func beginTraining(_ settings: RewardMixtureSettings, over communicator: any Communicator) {
        for moment in first + second { moment.fill(0) }
        steps = Array(repeating: 0, count: count)
    }

    func endTraining(over communicator: any Communicator) {}

    func addGradients(of batches: [TrainingBatch]) -> [Double] {
        batches.map { batch in
            let rewards = rewards(of: batch.comparisons, under: batch.model..<batch.model + 1)[0]
            let (loss, dRewards) = plackettLuce(rewards, of: batch.comparisons)
            for (sequence, derivative) in zip(batch.comparisons.flatMap(\.sequences), dRewards) {
                for (index, x) in features(sequence).enumerated() {
                    gradients[batch.model * width + index] += derivative * x
                }
            }
            return loss
        }
    }

    func sumGradients(
        over shards: ShardTree,
        _ communicator: any Communicator,
        ofShard work: (Int) throws -> Void
    ) throws {
        gradients = try sumOfGradients(count: gradients.count, over: shards, communicator) { index in
            gradients = Array(repeating: 0, count: gradients.count)
            try work(index)
            return gradients
        }
    }

    func update(
        _ model: Int,
        gradientScale: Float,
        learningRate: Float,
        over communicator: any Communicator
    ) -> Double {
        let gradient = gradients[model * width..<(model + 1) * width].map { $0 * gradientScale }
        let norm = Double(gradient.reduce(0) { $0 + $1 * $1 }.squareRoot())
        guard norm.isFinite else { return norm }
        steps[model] += 1
        for index in 0..<width {
            first[model][index] = 0.9 * first[model][index] + 0.1 * gradient[index]
            second[model][index] = 0.99 * second[model][index] + 0.01 * gradient[index] * gradient[index]
            let mean = first[model][index] / (1 - power(0.9, steps[model]))
            let square = second[model][index] / (1 - power(0.99, steps[model]))
            weights[model][index] -= learningRate * mean / (square.squareRoot() + 1e-8)
        }
        return norm
    }

    var headWidth: Int { width }

    func headGradients(of comparisons: [[TokenizedComparison]], under model: Int) -> [[Float]] {
        comparisons.map { headGradient(of: $0, under: model) }
    }

    private func headGradient(of comparisons: [TokenizedComparison], under model: Int) -> [Float] {
        var sum = Array(repeating: Float(0), count: width)
        let derivatives = plackettLuce(rewards(of: comparisons, under: model..<model + 1)[0], of: comparisons).dRewards
        for (sequence, derivative) in zip(comparisons.flatMap(\.sequences), derivatives) {
            for (index, x) in features(sequence).enumerated() {
                sum[index] -= derivative * x / Float(comparisons.count)
            }
        }
        return sum
    }

    func saveBest(of model: Int) { kept[model].copy(from: weights[model]) }
    func restoreWeights(of model: Int) { weights[model].copy(from: kept[model]) }
    func scaleRewards(of model: Int, by factor: Float) { scale(weights[model], by: factor) }
    func resetWeights(of model: Int) { weights[model].fill(0) }
    func weights(of model: Int) -> Tensor { weights[model] }
    func setWeights(_ weights: Tensor, of model: Int) { self.weights[model].copy(from: weights) }
    func copyWeights(to model: Int, from other: LinearRewards, model otherModel: Int) {
        weights[model].copy(from: other.weights[otherModel])
    }

    var trainingVectors: [StateVector] {
        [("weights", weights), ("kept", kept), ("first", first), ("second", second)].flatMap { name, tensors in
            tensors.enumerated().map { StateVector("\(name).\($0)", $1) }
        }
    }

    var replicas: [Tensor] { weights }

    func resumeTraining(updates: [Int], over communicator: any Communicator) { steps = updates }
}

/// A choice of one of two feature vectors of which the other is zero.
func linearComparison(_ x: [Float]) -> TokenizedComparison {
    TokenizedComparison([x, x.map { _ in 0 }].map { $0.map { Int32(bitPattern: $0.bitPattern) } })
}

func features(_ sequence: [Int32]) -> [Float] { sequence.map { Float(bitPattern: UInt32(bitPattern: $0)) } }

private func power(_ base: Float, _ exponent: Int) -> Float {
    (0..<exponent).reduce(1) { product, _ in product * base }
}

/// A group of simulated users: how many, and the reward vector they choose by.
struct SimulatedGroup {
    let users: Int
    let reward: [Double]
}

/// Users who choose between random pairs by σ(w·x); ids are shuffled over groups.
///
/// Each user's `comparisons` are split: with one fold a third assign, half fit, a tenth validation, the rest test; with
/// several folds a fifth test, and the rest in turn.
func simulatedUsers(
    _ groups: [SimulatedGroup],
    comparisons: Int,
    shards: Int = 4,
    folds: Int = 1,
    seed: UInt64
) -> [ShardedUser] {
    var owners = groups.indices.flatMap { Array(repeating: $0, count: groups[$0].users) }
    var random = CounterRandom(seed: seed, purpose: .test)
    owners.shuffle(using: &random)
    return owners.enumerated().map { number, group in
        var random = CounterRandom(seed: seed, purpose: .test, item: 1 + number)
        let drawn = (0..<comparisons).map { _ in
            let x = groups[group].reward.map { _ in random.normal() }
            let margin = zip(x, groups[group].reward).reduce(0) { $0 + $1.0 * $1.1 }
            let isChosen = random.uniform() < sigmoid(margin)
            return linearComparison(x.map { Float(isChosen ? $0 : -$0) })
        }
        let parts = [max(comparisons / 3, 1), comparisons / 2, comparisons / 10]
        let ends = parts.reduce(into: [0]) { $0.append(min(comparisons, $0[$0.count - 1] + $1)) }
        let test = comparisons / 5
        return ShardedUser(
            User(id: "u" + String(1000 + number), group: "group-\(group)", comparisons: drawn),
            shard: number % shards,
            split: folds == 1
                ? ComparisonSplit(
                    fit: Array(ends[1]..<ends[2]),
                    validation: Array(ends[2]..<ends[3]),
                    assign: Array(0..<ends[1]),
                    test: Array(ends[3]..<comparisons)
                )
                : ComparisonSplit(
                    folds: (0..<folds).map { fold in
                        Array(stride(from: test + fold, to: comparisons, by: folds))
                    },
                    test: Array(0..<test)
                )
        )
    }
}

/// A reward vector with random direction and length `scale` (the standard deviation of the margins).
func rewardVector(width: Int, scale: Double, seed: UInt64) -> [Double] {
    var random = CounterRandom(seed: seed, purpose: .test, step: 1)
    let direction = (0..<width).map { _ in random.normal() }
    let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return direction.map { $0 * scale / norm }
}

/// Settings that fit linear models of tens of features in a second or less.
func linearSettings(groups: Int?, folds: Int = 1, seed: UInt64) -> RewardMixtureSettings {
    var settings = RewardMixtureSettings()
    settings.groups = groups
    settings.folds = folds
    settings.optimizer.learningRate = 0.1
    settings.optimizer.warmupSteps = 0
    settings.optimizer.clipNorm = 0
    settings.maxSteps = 60
    settings.evaluateEvery = 5
    settings.batchComparisons = 64
    settings.seed = seed
    return settings
}

func fitLinear(
    _ users: [ShardedUser],
    _ settings: RewardMixtureSettings,
    width: Int,
    over communicator: any Communicator = SoloCommunicator()
) throws -> FittedMixture<LinearRewards> {
    try fitRewardMixture(
        users,
        settings: settings,
        over: communicator,
        makeModels: { LinearRewards(count: $0 * $1, width: width) },
        report: { _ in }
    )
}

/// How many users the best matching of two groups and labels puts right.
func rightUsers(_ mixture: FittedMixture<LinearRewards>) -> Int {
    let labels = mixture.scores.members.map { $0.group == "group-0" ? 0 : 1 }
    let right = zip(labels, mixture.assignments).count { $0 == $1 }
    return max(right, labels.count - right)
}
