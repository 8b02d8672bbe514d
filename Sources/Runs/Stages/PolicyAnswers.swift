import Collectives
package import Evaluation
import Failures
package import LanguageModels
import MaxMinPolicy
import Preferences
import Randomness
import Reporting
import Text

/// Responses that are scored in one forward pass.
let scoringBatch = 64

/// One policy's responses to every prompt.
struct PolicyAnswers {
    let name: String
    /// Prompts × samples.
    let responses: [[JudgedResponse]]
    /// KL(π ‖ π_ref) a response, in nats.
    let kl: Double
    /// Whether it is an upper bound of that.
    var klIsBound = false
    /// How its training ended, where that is known.
    var trained: TrainedPolicy?

    var meanTokens: Double {
        let lengths = responses.joined().map { Double($0.responseTokens.count) }
        return lengths.reduce(0, +) / Double(max(1, lengths.count))
    }
}

extension RunContext {
    /// What the reference, every policy and best of n answer to the held-out prompts, the reference first; the same on
    /// every rank.
    func answerPrompts(_ reference: Reference) throws -> [PolicyAnswers] {
        let section = configuration.evaluate
        let prompts = try Array(loadPrompts(reference).heldOut.prefix(section.prompts))
        guard prompts.count == section.prompts else {
            throw Failure(
                .configuration,
                "asks for \(section.prompts) prompts of \(prompts.count) held-out ones; raise data.held_out_prompts",
                at: "evaluate.prompts"
            )
        }
        let objectives = configuration.policy.objectives.map(\.rawValue)
        let choices = try bestOfChoices()
        progress.begin("evaluate", total: objectives.count + 1 + choices.count, unit: "policies")
        var answers = [try answer(prompts, with: reference.model, as: "reference", index: 0, reference, self)]
        progress.advance()
        for (index, name) in objectives.enumerated() {
            let path = try directory.require("policy/\(name)", madeBy: .policy)
            let policy = try reference.load(path, head: .none)
            var own = try answer(prompts, with: policy, as: name, index: index + 1, reference, self)
            own.trained = try TrainedPolicy(directory: path)
            answers.append(own)
            progress.advance()
        }
        answers += try answerByBestOf(choices, prompts, reference)
        progress.advance(by: choices.count)
        progress.end("\(prompts.count) prompts × \(section.samplesPerPrompt)")
        return answers
    }
}

/// Samples a policy on all prompts and measures how far it is from the reference; the same result on every rank.
private func answer(
    _ prompts: [Prompt],
    with policy: LanguageModel,
    as name: String,
    index: Int,
    _ reference: Reference,
    _ run: RunContext
) throws -> PolicyAnswers {
    let section = run.configuration.evaluate
    let each = section.samplesPerPrompt
    let samples = try run.sampleOverShards(
        count: prompts.count * each,
        prompt: { prompts[$0 / each].tokens },
        from: policy,
        named: "policy \(name)",
        options: run.evaluationOptions(reference),
        purpose: .evaluation,
        step: index
    )
    let responses = judged(samples, prompts, reference)
    let kl =
        try index == 0
        ? 0
        : divergence(
            of: responses,
            policy: policy,
            reference.model,
            // Greedy choice is the limit of no temperature, at which all divergences are 0 or infinite.
            temperature: section.temperature > 0 ? Float(section.temperature) : 1,
            run
        )
    guard kl.isFinite else {
        throw Failure(.internalError, "its divergence from the reference is not finite", at: "policy \(name)")
    }
    return PolicyAnswers(name: name, responses: responses, kl: kl)
}

extension RunContext {
    /// How `evaluate` samples.
    func evaluationOptions(_ reference: Reference) -> SamplingOptions {
        SamplingOptions(
            maxNewTokens: configuration.policy.training.maxNewTokens,
            temperature: Float(configuration.evaluate.temperature),
            stop: reference.encoding.endOfTurn
        )
    }
}

/// Samples as judges see them, prompts × samples: as many of each prompt, one prompt after the other.
func judged(_ samples: [Sample], _ prompts: [Prompt], _ reference: Reference) -> [[JudgedResponse]] {
    let each = samples.count / prompts.count
    return prompts.indices.map { index in
        samples[index * each..<(index + 1) * each].map { sample in
            JudgedResponse(
                prompt: prompts[index].text,
                response: reference.encoding.text(ofResponse: sample.tokens),
                promptTokens: prompts[index].tokens,
                responseTokens: sample.tokens
            )
        }
    }
}

/// Responses after their prompts, which those to one prompt share.
func packed(_ responses: ArraySlice<JudgedResponse>) -> PackedSequences {
    PackedSequences(
        responses.map { $0.promptTokens + $0.responseTokens },
        promptLengths: responses.map(\.promptTokens.count)
    )
}

/// Mean over responses, prompts × samples, of how far π diverges from π_ref at their tokens, in nats; those to each
/// shard's prompts scored on its rank.
private func divergence(
    of responses: [[JudgedResponse]],
    policy: LanguageModel,
    _ reference: LanguageModel,
    temperature: Float,
    _ run: RunContext
) throws -> Double {
    let (shards, hosted) = try run.shards()
    let sums = try hosted.map { shard in
        var sum = 0.0
        let own = shards.items(of: shard, total: responses.count).flatMap { responses[$0] }
        for start in stride(from: 0, to: own.count, by: scoringBatch) {
            try run.communicator.enter(.score, step: 0)
            let batch = own[start..<min(start + scoringBatch, own.count)]
            sum += summedDivergence(of: batch, policy: policy, reference, temperature: temperature)
        }
        return [sum]
    }
    return try run.communicator.sumOverShards(sums, width: 1)[0] / Double(responses.joined().count)
}

/// Sum over responses and their tokens of KL(π ‖ π_ref) of the next-token distributions, both at this temperature.
package func summedDivergence(
    of responses: ArraySlice<JudgedResponse>,
    policy: LanguageModel,
    _ reference: LanguageModel,
    temperature: Float
) -> Double {
    let sequences = packed(responses)
    let rows = zip(0..., responses).flatMap { sequences.rows(predicting: $0, from: $1.promptTokens.count) }
    let scores = policy.tokenScores(of: sequences, rows: rows, temperature: temperature, against: reference)
    return scores.divergences.reduce(0) { $0 + Double($1) }
}
