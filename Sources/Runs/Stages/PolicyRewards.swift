import Evaluation
import Failures
import LanguageModels
import MaxMinPolicy
import ModelFiles
import Preferences
import Simulation
import StrictJSON
import Text

/// The rewards that a policy is trained on: one for each group, then the single model's where the objective asks it.
struct PolicyRewards {
    /// Of each reward.
    let names: [String]
    let groupSizes: [Double]
    let calibration: Calibration
    let rewards: RewardFunction

    var groups: [String] { Array(names.prefix(groupSizes.count)) }
}

extension RunContext {
    /// What the stages `reward` and `calibrate` made, for `single` and for the objectives that weigh groups.
    func learnedRewards(over reference: Reference) throws -> (forSingle: PolicyRewards, forGroups: PolicyRewards) {
        let models = try loadRewardModels(over: reference)
        let groupSizes = try loadMixtureRecord().groupSizes
        let calibration = try loadCalibration(models: models.names)
        func rewards(ofFirst count: Int) -> PolicyRewards {
            let asked = Array(models.models.prefix(count))
            return PolicyRewards(
                names: Array(models.names.prefix(count)),
                groupSizes: groupSizes,
                calibration: calibration.first(count),
                rewards: { LanguageModels.rewards(of: $0, under: asked) }
            )
        }
        return (rewards(ofFirst: models.count), rewards(ofFirst: models.groups))
    }

    /// The true tastes of the simulated groups, brought to one scale on the samples that the stage `calibrate` takes.
    ///
    /// Writes `policy/gold-calibration.json`. Groups without users are no groups.
    func goldRewards(over reference: Reference, _ prompts: [Prompt]) throws -> PolicyRewards {
        let groups = try simulatedGroups().filter { $0.users > 0 }
        let names = groups.map(\.name)
        let rewards = tasteRewards(of: groups.map(\.taste), prompts, reference.encoding)
        let calibration: Calibration
        do {
            calibration = try calibrate(
                configuration.calibrate.method,
                reference: reference.model,
                prompts: prompts.map(\.tokens),
                promptCount: configuration.calibrate.prompts,
                samplesPerPrompt: configuration.calibrate.samplesPerPrompt,
                maxNewTokens: configuration.policy.training.maxNewTokens,
                endOfText: reference.encoding.endOfTurn,
                rewardModels: groups.count,
                rewards: rewards,
                seed: seed,
                shards: shards().all,
                communicator: communicator
            )
        } catch let error as Failure {
            // Whose rewards they are is all that differs from the stage.
            throw Failure(
                error.code,
                "the true tastes of \(names.joined(separator: ", ")): \(error.message)",
                at: error.location
            )
        }
        try onRoot {
            try directory.makeFolder("policy")
            try writeAtomically(
                calibration.json(models: names).encoded(pretty: true),
                to: directory.file("policy/gold-calibration.json")
            )
        }
        return PolicyRewards(
            names: names,
            groupSizes: groups.map { Double($0.users) },
            calibration: calibration,
            rewards: rewards
        )
    }
}

/// Utilities of responses to these prompts, tastes × sequences, as the judge `taste` gives them.
func tasteRewards(of tastes: [Taste], _ prompts: [Prompt], _ encoding: ChatEncoding) -> RewardFunction {
    let texts = Dictionary(prompts.map { ($0.tokens, $0.text) }, uniquingKeysWith: { first, _ in first })
    return { sequences in
        let responses = sequences.indices.map { index in
            let tokens = sequences.tokens(of: index)
            let length = sequences.promptLengths[index]
            let prompt = Array(tokens[..<length])
            guard let text = texts[prompt] else { preconditionFailure("a prompt of no policy") }
            return JudgedResponse(
                prompt: text,
                response: encoding.text(ofResponse: Array(tokens[length...])),
                promptTokens: prompt,
                responseTokens: Array(tokens[length...])
            )
        }
        return try tastes.map { try Judge(name: "taste", taste: $0).utilities(responses).map { Float($0) } }
    }
}
