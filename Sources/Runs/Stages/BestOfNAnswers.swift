import Collectives
import Evaluation
import Failures
import LanguageModels
import MaxMinPolicy
import Preferences
import Randomness

/// A way to choose one of n responses of the reference.
struct BestOfChoice: Equatable {
    let name: String
    let n: Int
    /// Of each group's calibrated reward.
    let weights: [Double]
}

extension RunContext {
    /// What `evaluate.best_of` asks for: under equal weights, and under those that MaxMin's training ended with.
    func bestOfChoices() throws -> [BestOfChoice] {
        guard !configuration.evaluate.bestOf.isEmpty else { return [] }
        let groups = try loadMixtureRecord().groupSizes.count
        let maxmin = PolicyObjective.maxmin
        let path = directory.file("policy/\(maxmin.rawValue)")
        let trained =
            configuration.policy.objectives.contains(maxmin) ? try TrainedPolicy(directory: path)?.weights : nil
        guard trained?.count ?? groups == groups else {
            throw Failure(.badData, "has not one weight for each of \(groups) groups", at: "\(path)/training.json")
        }
        return configuration.evaluate.bestOf.flatMap { n in
            let equal = Array(repeating: 1 / Double(groups), count: groups)
            let ofMaxMin = trained.map { BestOfChoice(name: "best-of-\(n)-\(maxmin.rawValue)", n: n, weights: $0) }
            return [BestOfChoice(name: "best-of-\(n)", n: n, weights: equal)] + (ofMaxMin.map { [$0] } ?? [])
        }
    }

    /// What each choice answers to every prompt, the same on every rank.
    ///
    /// The first n responses to a prompt are the same whatever other sizes are asked for.
    func answerByBestOf(
        _ choices: [BestOfChoice],
        _ prompts: [Prompt],
        _ reference: Reference
    ) throws -> [PolicyAnswers] {
        guard let most = choices.map(\.n).max() else { return [] }
        let each = configuration.evaluate.samplesPerPrompt
        // Candidates × responses to all prompts.
        let candidates = try (0..<most).map { candidate in
            try sampleOverShards(
                count: prompts.count * each,
                prompt: { prompts[$0 / each].tokens },
                from: reference.model,
                named: "the reference",
                options: evaluationOptions(reference),
                purpose: .bestOf,
                step: candidate
            )
        }
        let chosen = try choose(choices, most: most, count: prompts.count * each, reference) { candidate, item in
            (prompts[item / each].tokens, candidates[candidate][item].tokens)
        }
        return choices.enumerated().map { index, choice in
            let samples = chosen.enumerated().map { candidates[$1[index]][$0] }
            return PolicyAnswers(
                name: choice.name,
                responses: judged(samples, prompts, reference),
                kl: bestOfNDivergence(choice.n),
                klIsBound: true
            )
        }
    }

    /// The candidate that each choice takes, items × choices; those of each shard's items are scored on its rank.
    ///
    /// - Parameter tokens: of a candidate for an item, prompt and response.
    private func choose(
        _ choices: [BestOfChoice],
        most: Int,
        count: Int,
        _ reference: Reference,
        among tokens: (_ candidate: Int, _ item: Int) -> (prompt: [Int32], response: [Int32])
    ) throws -> [[Int]] {
        let models = try loadRewardModels(over: reference)
        let calibration = try loadCalibration(models: models.names)
        let groups = Array(models.models.prefix(models.groups))
        let (shards, hosted) = try shards()
        var own: [[Int32]] = []
        for shard in hosted {
            let items = shards.items(of: shard, total: count)
            let atATime = max(1, scoringBatch / most)
            for start in stride(from: 0, to: items.count, by: atATime) {
                try communicator.enter(.score, step: 0)
                let batch = items[start..<min(start + atATime, items.count)]
                let pairs = batch.flatMap { item in (0..<most).map { tokens($0, item) } }
                let sequences = PackedSequences(
                    pairs.map { $0.prompt + $0.response },
                    promptLengths: pairs.map(\.prompt.count)
                )
                let rewards = LanguageModels.rewards(of: sequences, under: groups)
                for (place, item) in batch.enumerated() {
                    let ofItem = rewards.map { Array($0[place * most..<(place + 1) * most]) }
                    let isFinite = ofItem.joined().allSatisfy(\.isFinite)
                    let best = choices.map { choice in
                        bestOfN(choice.n, rewards: ofItem, calibration: calibration, weights: choice.weights)
                    }
                    own.append([Int32(item), isFinite ? 1 : 0] + best.map { Int32($0) })
                }
            }
        }
        var chosen = [[Int]](repeating: [], count: count)
        for record in try allGather(own) {
            guard record[1] == 1 else {
                throw Failure(.internalError, "the groups' rewards are not finite", at: "evaluate.best_of")
            }
            chosen[Int(record[0])] = record[2...].map(Int.init)
        }
        return chosen
    }
}
