import Collectives
package import Evaluation
import Failures
import Foundation
package import Judging
import MaxMinPolicy
package import Reporting
import StrictYAML

/// Where a run keeps the answers of an `llm` judge; no stage clears it.
let judgmentsFile = "judgments.jsonl"

/// What a language model decided of a run's answers.
struct LLMDecisions {
    let groups: [String]
    let rubrics: [String]
    /// How much the first response of a question won; of the questions that the tables need.
    let wins: [PreferenceQuestion: Double]
    /// What asking took, for `evaluation.json`.
    let use: LLMUse
    let warnings: [String]

    /// What the judge says of answers.
    func kind(of answers: [PolicyAnswers]) -> KindOfJudge {
        KindOfJudge(kind: EvaluateSection.Judge.llm.rawValue, groups: groups, utilities: []) { policy, other in
            rubrics.map { rubric in
                zip(answers[policy].responses, answers[other].responses).map { own, others in
                    let won = sideBySide(rubric, own, others).map { wins[$0] ?? 0.5 }
                    return won.reduce(0, +) / Double(won.count)
                }
            }
        }
    }
}

/// A prompt's responses side by side: the first of the one policy against the first of the other, and so on.
package func sideBySide(_ rubric: String, _ own: [JudgedResponse], _ others: [JudgedResponse]) -> [PreferenceQuestion] {
    zip(own, others).map {
        PreferenceQuestion(rubric: rubric, prompt: $0.prompt, first: $0.response, second: $1.response)
    }
}

/// The questions that the tables need: each policy against the reference, and against the single-reward policy.
func questions(_ answers: [PolicyAnswers], rubrics: [String]) -> [PreferenceQuestion] {
    let opponents = [0] + answers.indices.filter { answers[$0].name == PolicyObjective.single.rawValue }
    return rubrics.flatMap { rubric in
        opponents.flatMap { other in
            answers.indices.filter { $0 != other }.flatMap { policy in
                zip(answers[policy].responses, answers[other].responses).flatMap { sideBySide(rubric, $0, $1) }
            }
        }
    }
}

extension LLMJudgeSection {
    /// The rubric of each group.
    ///
    /// - Throws: `Failure` 78 where one has none: what a group wants cannot be told from its name.
    func rubrics(for groups: [String]) throws(Failure) -> [String] {
        var texts: [String] = []
        for group in groups {
            guard let rubric = rubrics.first(where: { $0.group == group }) else {
                throw Failure(
                    .configuration,
                    "has none for the group \(group); the groups are \(groups.joined(separator: ", ")): say for each "
                        + "what its users want of a response",
                    at: "evaluate.llm.rubrics"
                )
            }
            texts.append(rubric.text)
        }
        return texts
    }

    /// What speaks against the rubrics: those of no group.
    func warnings(for groups: [String]) -> [String] {
        rubrics.map(\.group).filter { !groups.contains($0) }.map { rubric in
            let near = nearestName(to: rubric, among: groups).map { "; did you mean \($0)?" } ?? ""
            return "evaluate.llm.rubrics: there is no group \(rubric), so its rubric is not used\(near)"
        }
    }
}

extension RunContext {
    /// Asks the `llm` judge, where `evaluate.judges` wants it; the root alone does, and alone has the decisions.
    func decideByLLM(_ answers: [PolicyAnswers], _ mixture: MixtureRecord) throws -> LLMDecisions? {
        let section = configuration.evaluate.llm
        guard configuration.evaluate.judges.contains(.llm) else { return nil }
        let rubrics = try section.rubrics(for: mixture.names)
        var decided: LLMDecisions?
        try rootAlone { pulse in
            let questions = questions(answers, rubrics: rubrics)
            let cache = try AnswerCache(path: directory.file(judgmentsFile))
            let judge = PairJudge(section.endpoint, key: try section.key(), cache: cache)
            let decisions = try judge.decide(questions, showing: progress, pulse: pulse)
            for line in decisions.lines(of: section.endpoint) { progress.say("llm: \(line)") }
            decided = LLMDecisions(
                groups: mixture.names,
                rubrics: rubrics,
                wins: Dictionary(zip(questions, decisions.wins), uniquingKeysWith: { first, _ in first }),
                use: LLMUse(decisions, by: section.endpoint),
                warnings: section.warnings(for: mixture.names) + decisions.warnings
            )
        }
        return decided
    }

    /// Does long work on the root, while the other ranks wait and know that it goes on; a failure there is every
    /// rank's.
    ///
    /// `work` calls its argument about once a second; that throws `Stopped` where the root was asked to stop.
    private func rootAlone(_ work: (_ pulse: () throws -> Void) throws -> Void) throws {
        let (goesOn, isDone, isStopped): (UInt8, UInt8, UInt8) = (1, 0, 2)
        let stopped = Stopped(reason: "asked to stop while a language model judged")
        var failure: (any Error)?
        var last = isDone
        if isRoot {
            var pulsed = Date.now
            do {
                try work {
                    if try stop.isAsked() || stop.isTimeUp(at: .now, saveSeconds: 0, stepSeconds: 0) { throw stopped }
                    guard Date.now.timeIntervalSince(pulsed) > 10 else { return }
                    pulsed = .now
                    _ = try communicator.broadcast([goesOn])
                }
            } catch {
                failure = error
                if error is Stopped { last = isStopped }
            }
            _ = try communicator.broadcast([last])
        } else {
            repeat { last = try communicator.broadcast([]).first ?? isDone } while last == goesOn
        }
        if last == isStopped { throw stopped }
        try communicator.agree { if let failure { throw failure } }
    }
}

extension PairJudge {
    /// Decides questions, with a bar.
    package func decide(
        _ questions: [PreferenceQuestion],
        showing progress: ProgressMeter,
        pulse: () throws -> Void
    ) throws -> PairDecisions {
        var shown: Int?
        let decisions = try decide(questions) { answered, total in
            if let before = shown {
                progress.advance(by: answered - before)
            } else {
                progress.begin("judge", total: total, unit: "answers", done: answered)
            }
            shown = answered
            try pulse()
        }
        progress.end()
        return decisions
    }
}
