import Failures
import Foundation
import ModelFiles

/// Keys of the sections of stages that no result depends on.
private let independentKeys =
    ["policy.objectives", "model.follow_symlinks", "model.sampling_memory", "calibrate.at_chance"]
    + LLMJudgeSection.independentKeys.map { "evaluate.llm.\($0)" }

extension Configuration {
    /// The keys that the results up to a stage depend on, with their values, and the checksums of the files that these
    /// stages read from outside the run directory: data, users' tastes, and the reference policy's (`fingerprint`).
    ///
    /// Not among them: where a run lies and what it is called, threads, memory for sampling, what is saved how often,
    /// whether links are followed, which policies are trained (each is by itself), whether reward models at chance are
    /// taken, and how a judge is reached.
    func resultKeys(upTo stage: Stage) throws(Failure) -> [String: String] {
        let stages = Stage.allCases.filter { $0.position <= stage.position }
        let sections = ["model", "data"] + stages.map(\.rawValue)
        var keys = values.filter { key, _ in
            let section = key.prefix { $0 != "." }
            return ["run.seed", "run.reproducible", "shards"].contains(key)
                || (sections.contains(String(section)) && !independentKeys.contains(key))
        }
        // Prompts are kept so short that this many tokens fit behind them.
        keys["policy.max_new_tokens"] = values["policy.max_new_tokens"]
        for path in Set(stages.compactMap(data.file(readBy:))) {
            keys["contents of \(path)"] = try FileSeal(reading: path).xxh64
        }
        let tastes = stages.contains(.simulate) ? simulate.scorerFiles : []
        for path in tastes + modelFiles(self) { keys["contents of \(path)"] = fingerprint(of: path) }
        return keys
    }
}

/// Throws where results or a checkpoint were made with other values of the keys that they depend on.
func refuseOtherConfiguration(
    _ theirs: [String: String],
    than ours: [String: String],
    at location: String
) throws(Failure) {
    if let changes = changes(of: theirs, to: ours) {
        throw Failure(
            .configuration,
            "was made with another configuration: \(changes); "
                + "put that back, or use --overwrite to start again",
            at: location
        )
    }
}

/// The keys that differ, `policy.beta was 0.02, is 0.05; …`; nil where none does.
func changes(of theirs: [String: String], to ours: [String: String]) -> String? {
    // An earlier build may have noted one that no result depends on.
    let keys = Set(theirs.keys).union(ours.keys).subtracting(independentKeys)
    let differing = keys.filter { theirs[$0] != ours[$0] }.sorted()
    guard !differing.isEmpty else { return nil }
    let changes = differing.prefix(10).map { "\($0) was \(theirs[$0] ?? "unset"), is \(ours[$0] ?? "unset")" }
    let more = differing.count > 10 ? " and \(differing.count - 10) more" : ""
    return changes.joined(separator: "; ") + more
}
