import Evaluation
package import Failures
import LanguageModels
import ModelFiles
import Text

extension ModelRequest {
    /// A reward model: a whole one, or an adapter over `base`.
    package init(rewardModel directory: String, base: String?) throws(Failure) {
        guard AdapterDirectory.isAdapter(directory) else {
            self.init(directory)
            return
        }
        guard let base else {
            throw Failure(
                .configuration,
                "is an adapter; name the model that it adapts as --reward-base",
                at: directory
            )
        }
        self.init(base, adapter: directory)
    }
}

/// A reward model that scores text of any other model.
struct RewardScorer {
    let text: TextModel

    init(_ model: ModelRequest, log: (String) -> Void) throws {
        text = try TextModel(model, log: log)
        guard text.model.head == .reward else {
            throw Failure(.configuration, "is no reward model: it has no reward head", at: model.name)
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
