import Collectives
import Failures
import Foundation
import LanguageModels
import Tensors

/// Raw rewards of rollouts, checked for shape: reward models × rollouts.
func rawRewards(of rollouts: [Rollout], by rewards: RewardFunction, models: Int) throws -> [[Float]] {
    guard !rollouts.isEmpty else { return Array(repeating: [], count: models) }
    let rows = try rewards(packed(rollouts).sequences)
    guard rows.count == models, rows.allSatisfy({ $0.count == rollouts.count }) else {
        throw Failure(
            .internalError,
            "\(models) reward models scored \(rollouts.count) responses but gave \(rows.map(\.count)) rewards",
            at: "policy"
        )
    }
    return rows
}

/// The median reward of reference samples to each prompt met in training, for `log-sigmoid`; drawn once a prompt.
///
/// All ranks know all of them, so that a run resumed on other ranks draws none anew: in another batch they would differ
/// by rounding.
struct PromptMedians: Codable, Equatable, Sendable {
    /// By index of the prompt: one median for every reward model.
    private var known: [Int: [Float]] = [:]
    /// Prompts that only this rank knows yet.
    private var unshared: [Int] = []

    /// Whether every prompt has a median of each of so many models.
    func areOf(_ models: Int) -> Bool { known.values.allSatisfy { $0.count == models } }

    /// Gives every rank what the others have drawn.
    mutating func share(over communicator: any Communicator) throws {
        let own = known.filter { unshared.contains($0.key) }
        for bytes in try communicator.allGather(Array(JSONEncoder().encode(own))) {
            known.merge(try JSONDecoder().decode([Int: [Float]].self, from: Data(bytes))) { mine, _ in mine }
        }
        unshared = []
    }

    /// The medians of these rollouts' prompts: reward models × rollouts.
    ///
    /// Samples of prompt p: streams (seed, sampling, step 0, p·samples + k), whoever asks and whenever.
    mutating func medians(
        of rollouts: [Rollout],
        task: PolicyTask,
        reference: some SamplingPolicy,
        options: SamplingOptions
    ) throws -> [[Float]] {
        let models = task.calibration.means.count
        let samples = max(1, task.calibration.samplesPerPrompt)
        var new: [BatchPrompt] = []
        for rollout in rollouts where known[rollout.prompt] == nil && new.last?.prompt != rollout.prompt {
            new.append(BatchPrompt(index: rollout.prompt, prompt: rollout.prompt))
        }
        let drawn = sampleRollouts(
            new,
            pool: task.prompts,
            from: reference,
            options: options,
            samples: samples,
            seed: task.seed,
            step: 0
        )
        let rewards = try rawRewards(of: drawn, by: task.rewards, models: models)
        for (index, deal) in new.enumerated() {
            let range = (index * samples)..<((index + 1) * samples)
            known[deal.prompt] = rewards.map { median(Array($0[range])) }
        }
        unshared += new.map(\.prompt)
        return (0..<models).map { model in rollouts.map { known[$0.prompt, default: []][model] } }
    }
}
