import Evaluation
import Failures
import LanguageModels
import Simulation

/// What one group prefers, by its true taste or by its learned reward.
struct GroupJudge {
    /// `taste`, `reward` or `held-out`.
    let kind: String
    /// The group's label, or `group-u` where users carry none.
    let group: String
    let judge: Judge
}

/// Sequences that a learned reward scores in one forward pass.
private let batchSize = 64

extension RunContext {
    /// The judges with utilities that `evaluate.judges` asks for, true tastes first: those exist for simulated users
    /// only.
    ///
    /// - Parameter reference: what learned rewards may be adapters of.
    func judges(_ mixture: MixtureRecord, over reference: Reference) throws -> [GroupJudge] {
        var judges: [GroupJudge] = []
        let wanted = configuration.evaluate.judges
        if wanted.contains(.taste), configuration.data.preferences == nil {
            judges += try simulatedGroups().map { group in
                GroupJudge(kind: "taste", group: group.name, judge: Judge(name: group.name, taste: group.taste))
            }
        }
        if wanted.contains(.reward) {
            let models = try loadRewardModels(over: reference)
            judges += models.models.prefix(models.groups).enumerated().map { index, model in
                let name = mixture.names[index]
                return GroupJudge(
                    kind: "reward",
                    group: name,
                    judge: Judge(name: name) { rewards(of: $0, under: model) }
                )
            }
        }
        if wanted.contains(.heldOut) {
            for (index, name) in mixture.names.enumerated() {
                let folder = try directory.require("reward/held-out-group-\(index)", madeBy: .reward)
                let model = try reference.load(folder, head: .reward)
                let judge = Judge(name: name) { rewards(of: $0, under: model) }
                judges.append(GroupJudge(kind: EvaluateSection.Judge.heldOut.rawValue, group: name, judge: judge))
            }
        }
        guard !judges.isEmpty || wanted.contains(.llm) else {
            throw Failure(
                .configuration,
                "taste needs simulated users; with data.preferences ask for the judge reward",
                at: "evaluate.judges"
            )
        }
        return judges
    }
}

private func rewards(of responses: [JudgedResponse], under model: LanguageModel) -> [Double] {
    stride(from: 0, to: responses.count, by: batchSize).flatMap { start in
        let batch = responses[start..<min(start + batchSize, responses.count)]
        return model.rewards(of: packed(batch)).map(Double.init)
    }
}
