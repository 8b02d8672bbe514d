import Failures
import LanguageModels
import ModelFiles
import Preferences
import Randomness
import Reporting
import Simulation
import Text

/// Samples response pairs from the reference and lets simulated users choose between them.
///
/// Writes `preferences.jsonl`, with the users' true groups for scoring.
func runSimulate(_ run: RunContext) throws {
    let section = run.configuration.simulate
    let groups = try run.simulatedGroups()
    let reference = try run.loadReference()
    let prompts = try run.loadPrompts(reference).training
    // Pairs of equal or empty responses are passed over: sample some more than needed.
    let needed = pairsNeeded(groups: groups, comparisonsPerUser: section.comparisonsPerUser)
    let count = needed + needed / 10 + 16
    let options = SamplingOptions(
        maxNewTokens: section.maxNewTokens,
        temperature: Float(section.temperature),
        stop: reference.encoding.endOfTurn
    )
    run.progress.begin("simulate", total: count, unit: "pairs")
    let samples = try run.sampleOverShards(
        count: 2 * count,
        prompt: { prompts[$0 / 2 % prompts.count].tokens },
        from: reference.model,
        named: reference.path,
        options: options,
        purpose: .simulation,
        progress: { run.progress.advance(by: $0 / 2) }
    )
    run.progress.end()
    try run.onRoot {
        let responses = try samples.map { sample in
            SampledResponse(
                text: try reference.encoding.text(ofResponse: sample.tokens),
                tokens: sample.tokens.count,
                isComplete: sample.finished
            )
        }
        let pairs = (0..<count).map { pair in
            ResponsePair(
                prompt: prompts[pair % prompts.count].conversation,
                first: responses[2 * pair],
                second: responses[2 * pair + 1]
            )
        }
        let users = try simulateUsers(
            pairs: pairs,
            groups: groups,
            comparisonsPerUser: section.comparisonsPerUser,
            sharpness: section.sharpness,
            seed: run.seed
        )
        try writeAtomically(preferenceLines(of: users), to: run.directory.file("preferences.jsonl"))
        let sizes = groups.map { "\($0.users) \($0.name)" }.joined(separator: ", ")
        run.progress.say("simulate: \(users.count) users (\(sizes)), \(section.comparisonsPerUser) comparisons each")
    }
}

extension RunContext {
    /// The simulated groups with their tastes.
    func simulatedGroups() throws(Failure) -> [SimulatedGroup] {
        var groups: [SimulatedGroup] = []
        for group in configuration.simulate.groups {
            let taste = try Taste(group.taste, strongest: group.strongest)
            groups.append(SimulatedGroup(name: group.name, users: group.users, taste: taste))
        }
        return groups
    }
}
