import Failures
import LanguageModels
import ModelFiles
import Preferences
import Randomness
import Reporting
import Simulation
import StrictJSON
import Text

/// Samples response pairs from the reference and lets simulated users choose between them.
///
/// Writes `preferences.jsonl`, with the users' true groups for scoring, and `tastes.json`: the scales of mixes and what
/// theory predicts for these tastes.
func runSimulate(_ run: RunContext) throws {
    let section = run.configuration.simulate
    var groups = try run.unscaledGroups()
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
        let responses = samples.map { sample in
            SampledResponse(
                text: reference.encoding.text(ofResponse: sample.tokens),
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
        for index in groups.indices {
            let location = "simulate.groups[\(index)].components"
            groups[index].taste = try groups[index].taste.standardized(over: pairs, at: location)
        }
        let users = try simulateUsers(
            pairs: pairs,
            groups: groups,
            comparisonsPerUser: section.comparisonsPerUser,
            sharpness: section.sharpness,
            seed: run.seed
        )
        try writeAtomically(preferenceLines(of: users), to: run.directory.file("preferences.jsonl"))
        let outlook = TasteOutlook(groups: groups, pairs: pairs)
        let file = TastesFile(groups: groups, names: run.componentNames)
        try writeAtomically(
            file.json(with: outlook).encoded(pretty: true) + "\n",
            to: run.directory.file("tastes.json")
        )
        let sizes = groups.map { "\($0.users) \($0.name)" }.joined(separator: ", ")
        run.progress.say("simulate: \(users.count) users (\(sizes)), \(section.comparisonsPerUser) comparisons each")
        run.progress.say(outlook.text)
    }
}

extension RunContext {
    /// The simulated groups with their tastes; mixes are on the scale that the stage `simulate` measured.
    func simulatedGroups() throws -> [SimulatedGroup] {
        var groups = try unscaledGroups()
        // Other tastes need no scale, nor a file of it.
        guard componentNames.contains(where: { !$0.isEmpty }) else { return groups }
        let path = try directory.require("tastes.json", madeBy: .simulate)
        let file = try TastesFile(JSONFields(JSONValue(contentsOfFile: path), at: path))
        for index in groups.indices {
            groups[index].taste = try file.scaled(groups[index], names: componentNames[index], at: path)
        }
        return groups
    }

    /// What tells the tastes of each group's mix, with their words; none where the taste is no mix.
    var componentNames: [[String]] {
        configuration.simulate.groups.map { group in
            group.components.map { component in
                let liking = component.liking
                let words = liking.words.isEmpty ? "" : " (\(liking.words.joined(separator: ", ")))"
                return liking.taste + words + (liking.strongest > 0 ? ", strongest \(liking.strongest)" : "")
            }
        }
    }

    /// The simulated groups; mixes have no scale yet.
    fileprivate func unscaledGroups() throws(Failure) -> [SimulatedGroup] {
        var groups: [SimulatedGroup] = []
        for group in configuration.simulate.groups {
            var components: [Taste.Component] = []
            for component in group.components {
                components.append(Taste.Component(try Taste(component.liking), weight: component.weight))
            }
            groups.append(
                SimulatedGroup(
                    name: group.name,
                    users: group.users,
                    taste: components.isEmpty ? try Taste(group.liking) : .mix(components),
                    sharpness: group.sharpness,
                    lapse: group.lapse
                )
            )
        }
        return groups
    }
}

extension Taste {
    fileprivate init(_ liking: SimulateSection.Liking) throws(Failure) {
        try self.init(liking.taste, strongest: liking.strongest, words: liking.words)
    }
}
