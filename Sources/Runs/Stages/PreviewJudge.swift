package import Collectives
import Failures
import Judging
package import Reporting
import Tensors

/// Gives the requests that the stage `evaluate` would send to its `llm` judge, one JSON line each, and sends none.
///
/// The policies answer as they do in the stage; nothing is written. What the run has an answer to is left out.
///
/// - Throws: `Failure` where the run has no such judge, or no policies yet.
package func previewJudge(
    _ request: RunRequest,
    communicator: any Communicator,
    progress: ProgressMeter,
    emit: (String) throws -> Void
) throws {
    let configuration = try loadConfiguration(
        request.configuration,
        overrides: request.overrides,
        communicator: communicator
    )
    let section = configuration.evaluate.llm
    guard configuration.evaluate.judges.contains(.llm) else {
        throw Failure(.configuration, "has no llm, so there are no requests to show", at: "evaluate.judges")
    }
    let problems = section.problems(at: "evaluate.llm")
    guard problems.isEmpty else { throw Failure(.configuration, problems.joined(separator: "; ")) }
    try useThreads(configuration.run.threads == 0 ? request.suggestedThreads : configuration.run.threads)
    let run = RunContext(
        configuration: configuration,
        directory: RunDirectory(path: configuration.run.directory),
        communicator: communicator,
        progress: progress,
        metrics: try MetricsWriter(appendingTo: nil)
    )
    let rubrics = try section.rubrics(for: run.loadMixtureRecord().names)
    let answers = try run.answerPrompts(run.loadReference())
    let cache = try AnswerCache(path: run.directory.file(judgmentsFile))
    let open = PairJudge(section.endpoint, key: nil, cache: cache).requests(for: questions(answers, rubrics: rubrics))
    for line in open { try emit(line) }
    progress.say("judge: \(open.count) requests to \(section.endpoint.completions) were not sent")
}
