import Collectives
import Foundation
import LanguageModels
import MaxMinPolicy
import Randomness
import TestSupport

/// A softmax table: the next token depends on the last one alone, and so do the values.
///
/// Everything about it is exact.
final class TablePolicy: TrainablePolicy {
    let vocabulary: Int
    let heads: Int
    /// Logits [V, V] by last token, then values [V, heads].
    var parameters: [Float]
    var gradients: [Float]
    private var firstMoment: [Float]
    private var secondMoment: [Float]
    private var updates = 0
    private var recorded: (rows: [(last: Int, next: Int)], temperature: Float)?
    /// Multiplies what `tokenScores` and `forwardTokenScores` give: NaN breaks the policy on purpose.
    var fault: Float = 1

    init(vocabulary: Int, heads: Int = 0, logits: [Float]? = nil) {
        self.vocabulary = vocabulary
        self.heads = heads
        let count = vocabulary * (vocabulary + heads)
        parameters =
            (logits ?? Array(repeating: 0, count: vocabulary * vocabulary))
            + Array(repeating: 0, count: vocabulary * heads)
        gradients = Array(repeating: 0, count: count)
        firstMoment = gradients
        secondMoment = gradients
    }

    func probabilities(after last: Int, temperature: Float = 1) -> [Float] {
        let logits = parameters[(last * vocabulary)..<((last + 1) * vocabulary)].map { $0 / temperature }
        let largest = logits.max() ?? 0
        let weights = logits.map { exp($0 - largest) }
        let total = weights.reduce(0, +)
        return weights.map { $0 / total }
    }

    private func valueIndex(after last: Int, head: Int) -> Int { vocabulary * vocabulary + last * heads + head }

    /// The distributions after every token: computed once a call, debug builds being slow.
    private func distributions(temperature: Float) -> [[Float]] {
        (0..<vocabulary).map { probabilities(after: $0, temperature: temperature) }
    }

    func sample(prompts: [[Int32]], options: SamplingOptions, streams: [CounterRandom]) -> [Sample] {
        let distributions = distributions(temperature: options.temperature)
        return zip(prompts, streams).map { prompt, stream in
            var random = stream
            var result = Sample(tokens: [], logProbabilities: [], finished: false)
            var last = Int(prompt[prompt.count - 1])
            while result.tokens.count < options.maxNewTokens && !result.finished {
                let probabilities = distributions[last]
                var left = Float(random.uniform())
                last =
                    probabilities.firstIndex { probability in
                        left -= probability
                        return left < 0
                    } ?? vocabulary - 1
                result.tokens.append(Int32(last))
                result.logProbabilities.append(log(probabilities[last]))
                result.finished = options.stop == Int32(last)
            }
            return result
        }
    }

    func tokenScores(of sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores {
        var scores = TokenScores()
        let distributions = distributions(temperature: temperature)
        let entropies = distributions.map { $0.reduce(0) { $0 - ($1 > 0 ? $1 * log($1) : 0) } }
        for row in rows {
            let last = Int(sequences.tokens[Int(row)])
            let next = Int(sequences.tokens[Int(row) + 1])
            scores.logProbabilities.append(fault * log(distributions[last][next]))
            scores.entropies.append(entropies[last])
            scores.values += (0..<heads).map { parameters[valueIndex(after: last, head: $0)] }
        }
        return scores
    }

    func tokenScores(
        of sequences: PackedSequences,
        rows: [Int32],
        temperature: Float,
        against reference: TablePolicy
    ) -> ComparedScores {
        var scores = ComparedScores()
        scores.own = tokenScores(of: sequences, rows: rows, temperature: temperature)
        scores.reference = reference.tokenScores(of: sequences, rows: rows, temperature: temperature).logProbabilities
        let (own, other) = (
            distributions(temperature: temperature), reference.distributions(temperature: temperature)
        )
        let divergences = zip(own, other).map { p, q in
            zip(p, q).reduce(Float(0)) { $0 + ($1.0 > 0 ? $1.0 * log($1.0 / $1.1) : 0) }
        }
        scores.divergences = rows.map { fault * divergences[Int(sequences.tokens[Int($0)])] }
        return scores
    }

    func forwardTokenScores(_ sequences: PackedSequences, rows: [Int32], temperature: Float) -> TokenScores {
        recorded = (
            rows.map { (Int(sequences.tokens[Int($0)]), Int(sequences.tokens[Int($0) + 1])) }, temperature
        )
        return tokenScores(of: sequences, rows: rows, temperature: temperature)
    }

    func backwardTokenScores(dLogProbabilities: [Float], dValues: [Float], isLast: Bool) {
        guard let recorded else { preconditionFailure("backward without forward") }
        precondition(recorded.rows.count == dLogProbabilities.count)
        let distributions = distributions(temperature: recorded.temperature)
        for (index, (last, next)) in recorded.rows.enumerated() {
            let probabilities = distributions[last]
            for token in 0..<vocabulary {
                let indicator: Float = token == next ? 1 : 0
                gradients[last * vocabulary + token] +=
                    dLogProbabilities[index] * (indicator - probabilities[token]) / recorded.temperature
            }
            for head in 0..<(dValues.isEmpty ? 0 : heads) {
                gradients[valueIndex(after: last, head: head)] += dValues[index * heads + head]
            }
        }
        self.recorded = nil
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

    /// Adam.
    func update(learningRate: Float, over communicator: any Communicator) -> Double {
        let norm = gradients.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        guard norm.isFinite else { return norm }
        updates += 1
        let (correction1, correction2) = (1 - pow(0.9, Float(updates)), 1 - pow(0.999, Float(updates)))
        for index in parameters.indices {
            firstMoment[index] = 0.9 * firstMoment[index] + 0.1 * gradients[index]
            secondMoment[index] = 0.999 * secondMoment[index] + 0.001 * gradients[index] * gradients[index]
            parameters[index] -=
                learningRate * (firstMoment[index] / correction1)
                / ((secondMoment[index] / correction2).squareRoot() + 1e-8)
        }
        return norm
    }
}
