import Evaluation
import Failures
import LanguageModels
import ModelFiles
import Runs
import Text

/// A reward model that scores text of any other model.
struct RewardScorer {
    let text: TextModel

    init(_ directory: String, _ request: CompareRequest, log: (String) -> Void) throws {
        let isAdapter = AdapterDirectory.isAdapter(directory)
        guard !isAdapter || request.rewardBase != nil else {
            throw Failure(
                .configuration,
                "is an adapter; name the model that it adapts as --reward-base",
                at: directory
            )
        }
        text = try TextModel(
            directory: isAdapter ? request.rewardBase ?? directory : directory,
            adapter: isAdapter ? directory : nil,
            template: nil,
            precision: request.precision,
            threads: request.threads,
            allowNonFinite: request.allowNonFinite,
            followSymlinks: request.followSymlinks,
            log: log
        )
        guard text.model.head == .reward else {
            throw Failure(.configuration, "is no reward model: it has no reward head", at: directory)
        }
    }

    /// Rewards of a model's responses, prompts × samples, as this model's own tokens.
    func rewards(
        of contestant: Contestant,
        _ prompts: [(conversation: Conversation, location: String)]
    ) throws -> [[Double]] {
        var sequences: [[Int32]] = []
        for (index, prompt) in prompts.enumerated() {
            let start = text.encoding.prompt(prompt.conversation)
            for (response, isComplete) in zip(contestant.responses[index], contestant.finished[index]) {
                let tokens = start + text.encoding.response(response.response, isComplete: isComplete)
                try text.check(tokens, at: prompt.location)
                sequences.append(tokens)
            }
        }
        let rewards = stride(from: 0, to: sequences.count, by: responsesAtATime).flatMap { start in
            let batch = Array(sequences[start..<min(start + responsesAtATime, sequences.count)])
            return text.model.rewards(of: PackedSequences(batch)).map(Double.init)
        }
        return byPrompt(rewards, contestant.responses.first?.count ?? 1)
    }
}
